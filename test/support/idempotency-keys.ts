import type { Shell } from './shell.js'

/** How long a key lasts, in seconds. */
export const DAY = 24 * 60 * 60

/** Makes the keys of a client some seconds older. */
export async function age(shell: Shell, seconds: number, name = ''): Promise<void> {
  const time = shell.dialect === 'sqlite' ? '?' : "? * interval '1 second'"
  const sql = `UPDATE idempotency_keys SET created_at = created_at - ${time} WHERE client = ?`
  await shell.all(sql, seconds, name)
}

export async function count(shell: Shell): Promise<number> {
  const [row] = await shell.all<{ count: number }>('SELECT count(*) AS count FROM idempotency_keys')
  return row?.count ?? 0
}
