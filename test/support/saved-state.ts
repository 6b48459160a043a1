import type { Shell } from './shell.js'

/** What a backup brings back: the employees, the versions of the views, and what led to them. */
const TABLES = ['employees', 'view_versions', 'view_changes']

/** Saves what a database holds, in place of what was saved before. */
export async function save(shell: Shell): Promise<void> {
  for (const table of TABLES) {
    await shell.run(
      `DROP TABLE IF EXISTS saved_${table}; CREATE TABLE saved_${table} AS SELECT * FROM ${table}`,
    )
  }
}

/** Brings it back under processes that have seen more, as a backup would: no trigger hears of it. */
export async function restore(shell: Shell): Promise<void> {
  const copies = TABLES.map(
    (table) => `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM saved_${table}`,
  )
  if (shell.dialect === 'postgres') {
    const ids = `SELECT setval('employees_id_seq', greatest((SELECT max(id) FROM employees), last_value))
      FROM employees_id_seq`
    await shell.run(
      `BEGIN; SET LOCAL session_replication_role = replica; ${copies.join(';')}; ${ids}; COMMIT`,
    )
    return
  }
  const triggers = await shell.all<{ name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid",
  )
  await shell.run(
    [
      'BEGIN IMMEDIATE',
      ...triggers.map(({ name }) => `DROP TRIGGER "${name}"`),
      ...copies,
      ...triggers.map(({ sql }) => sql),
      'COMMIT',
    ].join(';'),
  )
}
