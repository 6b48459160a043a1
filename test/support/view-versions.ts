import type { Dialect } from '../../drizzle/define-view.js'
import type { Shell } from './shell.js'

/** The versions of the cached views, by view. */
export async function versions(shell: Shell): Promise<Record<string, string>> {
  const rows = await shell.all<{ view: string; version: string }>(
    'SELECT view, version FROM view_versions ORDER BY view',
  )
  return Object.fromEntries(rows.map(({ view, version }) => [view, version]))
}

/** SQL that gives every view a new version, and says nothing of the time. */
export function newVersions(dialect: Dialect): string {
  return `UPDATE view_versions SET version = ${RANDOM[dialect]}`
}

const RANDOM: Record<Dialect, string> = {
  sqlite: 'lower(hex(randomblob(16)))',
  postgres: "replace(gen_random_uuid()::text, '-', '')",
}

/** When each view was given its version, in seconds of Unix time, by view. */
export async function changeTimes(shell: Shell): Promise<Record<string, number>> {
  const seconds =
    shell.dialect === 'sqlite' ? 'changed_at' : 'extract(epoch FROM changed_at)::double precision'
  const rows = await shell.all<{ view: string; time: number }>(
    `SELECT view, ${seconds} AS time FROM view_versions`,
  )
  return Object.fromEntries(rows.map(({ view, time }) => [view, time]))
}

/** Says that every view was given its version then, in seconds of Unix time. */
export async function setChangeTimes(shell: Shell, time: number): Promise<void> {
  const moment = shell.dialect === 'sqlite' ? '?' : 'to_timestamp(?)'
  await shell.all(`UPDATE view_versions SET changed_at = ${moment}`, time)
}
