import { UnusableDatabase } from '../errors.js'
import type { Connection } from './connection.js'

/** What a role needs that serves, and neither owns the tables nor changes the schema. */
const GRANTS = [
  'SELECT, INSERT, UPDATE, DELETE ON employees, idempotency_keys, view_definitions',
  'SELECT, UPDATE ON view_versions',
  'SELECT, INSERT, UPDATE ON view_changes',
  'SELECT ON secrets, migrations',
  // Ids are given by it, and go on behind those that were given by hand.
  'SELECT, UPDATE ON SEQUENCE employees_id_seq',
]

const MAY = `SELECT has_table_privilege($1, 'employees', 'INSERT')
  AND has_table_privilege($1, 'secrets', 'SELECT') AS may`

/**
 * Lets a role serve over the tables of whoever is connected.
 *
 * @throws {UnusableDatabase} if they belong to somebody else
 */
export async function grantServing(connection: Connection, role: string): Promise<void> {
  const { rows } = await connection.query<{ role: string }>('SELECT quote_ident($1) AS role', [
    role,
  ])
  for (const grant of GRANTS) await connection.query(`GRANT ${grant} TO ${rows[0]?.role}`)
  // Whoever does not own them grants nothing, with a warning.
  const granted = await connection.query<{ may: boolean }>(MAY, [role])
  if (!granted.rows[0]?.may) {
    throw new UnusableDatabase(`its tables belong to another role: run this as that one`)
  }
}
