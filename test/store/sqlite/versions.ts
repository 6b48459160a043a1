import type Sqlite from 'better-sqlite3'

/** The versions of the cached views, by view, as a connection sees them now. */
export function versions(client: Sqlite.Database): Record<string, string> {
  return Object.fromEntries(
    client.prepare('SELECT view, version FROM view_versions').raw().all() as [string, string][],
  )
}
