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

const ROLE = 'SELECT quote_ident(rolname) AS quoted FROM pg_roles WHERE rolname = $1'

const MAY = `SELECT has_table_privilege($1, 'employees', 'INSERT')
  AND has_table_privilege($1, 'secrets', 'SELECT') AS may`

/**
 * Lets a role serve over the tables of whoever is connected.
 *
 * @throws {UnusableDatabase} if there is no such role, or if they belong to somebody else
 */
export async function grantServing(connection: Connection, role: string): Promise<void> {
  const { rows } = await connection.query<{ quoted: string }>(ROLE, [role])
  const [found] = rows
  if (!found) {
    throw new UnusableDatabase(
      `there is no role ${role}, written as it is stored: CREATE ROLE "${role.replaceAll('"', '""')}" LOGIN PASSWORD '…', or name another`,
    )
  }
  for (const grant of GRANTS) await connection.query(`GRANT ${grant} TO ${found.quoted}`)
  // Whoever does not own them grants nothing, with a warning.
  const granted = await connection.query<{ may: boolean }>(MAY, [role])
  if (!granted.rows[0]?.may) {
    throw new UnusableDatabase(`its tables belong to another role: run this as that one`)
  }
}
