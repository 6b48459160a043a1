import { UnusableDatabase } from '../errors.js'
import type { Connection } from './connection.js'
import { NotPrimary } from './errors.js'

const OLDEST = 14

const WHAT_IT_IS = `SELECT
  current_setting('server_version_num')::int / 10000 AS version,
  current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() AS "isStandby",
  current_setting('transaction_read_only') = 'on' AS "isReadOnly"`

/** Durability is not for a server's settings to weaken: what waits for more stays as it is. */
const DURABLE = `SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')`

interface Server {
  version: number
  encoding: string
  isStandby: boolean
  isReadOnly: boolean
}

/**
 * @throws {UnusableDatabase} for a server that can never be used
 * @throws {NotPrimary} for one that takes no writes
 */
export async function assertSuitable(connection: Connection): Promise<void> {
  const { rows } = await connection.query<Server>(WHAT_IT_IS)
  const { version, encoding, isStandby, isReadOnly } = rows[0] as Server
  if (version < OLDEST) {
    throw new UnusableDatabase(`it is PostgreSQL ${version}: use ${OLDEST} or newer`)
  }
  if (encoding !== 'UTF8') {
    throw new UnusableDatabase(
      `its encoding is ${encoding}: make a database with ENCODING 'UTF8', and name that`,
    )
  }
  if (isStandby) throw new NotPrimary('it is a standby')
  if (isReadOnly) throw new NotPrimary('it takes no writes (default_transaction_read_only)')
}

/** Sees to it that a commit on this connection is durable. */
export async function assertDurable(connection: Connection): Promise<void> {
  await connection.query(DURABLE)
}
