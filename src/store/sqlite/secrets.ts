import type Sqlite from 'better-sqlite3'
import type { SecretUse } from '../database.js'
import { UnusableDatabase } from '../errors.js'

/**
 * A secret that every process over this database shares, and that is kept nowhere else.
 *
 * @throws {UnusableDatabase} if somebody has deleted it: another one in its place would be no secret of all processes
 */
export function secretFor(client: Sqlite.Database, use: SecretUse): Buffer {
  const secret = client
    .prepare<[SecretUse], Buffer>('SELECT value FROM secrets WHERE name = ?')
    .pluck()
    .get(use)
  if (!secret) {
    throw new UnusableDatabase(
      `The table "secrets" of the database has no row "${use}" any more: restore it, or make another ` +
        `by "INSERT INTO secrets VALUES ('${use}', randomblob(32))"`,
    )
  }
  return secret
}
