import type { SecretUse } from '../database.js'
import { UnusableDatabase } from '../errors.js'
import type { Connection } from './connection.js'

/**
 * What only processes over this database know, by its use.
 *
 * @throws {UnusableDatabase} if somebody has deleted one: another one in its place would be no secret of all processes
 */
export async function readSecrets(connection: Connection): Promise<Record<SecretUse, Buffer>> {
  const { rows } = await connection.query<{ name: string; value: Buffer }>(
    'SELECT name, value FROM secrets',
  )
  const found = new Map(rows.map(({ name, value }) => [name, value]))
  const secret = (use: SecretUse) => {
    const value = found.get(use)
    if (value) return value
    throw new UnusableDatabase(
      `The table "secrets" of the database has no row "${use}" any more: restore it, or make another ` +
        `by "INSERT INTO secrets VALUES ('${use}', sha256(gen_random_uuid()::text::bytea))"`,
    )
  }
  return { cache_entries: secret('cache_entries'), idempotency_keys: secret('idempotency_keys') }
}
