import type Sqlite from 'better-sqlite3'

/** What the database keeps a secret for: each use has one of its own. */
type Use = 'cache_entries' | 'idempotency_keys'

/**
 * A secret that every process over this database shares, and that is kept nowhere else.
 *
 * @throws if somebody has deleted it: another one in its place would be no secret of all processes
 */
export function secretFor(client: Sqlite.Database, use: Use): Buffer {
  const secret = client
    .prepare<[Use], Buffer>('SELECT value FROM secrets WHERE name = ?')
    .pluck()
    .get(use)
  if (!secret) throw new Error(`The table "secrets" of the database has no row "${use}" any more`)
  return secret
}
