import { getTableColumns } from 'drizzle-orm'
import { employees } from '../../../drizzle/postgres/schema.js'
import { assertShows, type GeneratedView } from '../views/generate.js'
import type { Connection } from './connection.js'

/** What a view depends on, as PostgreSQL has noted it: tables, and columns of them. */
const READ = `SELECT DISTINCT depends.refobjid::regclass::text AS of, attribute.attname AS column
  FROM pg_rewrite AS rule
  JOIN pg_depend AS depends ON depends.objid = rule.oid AND depends.classid = 'pg_rewrite'::regclass
    AND depends.refclassid = 'pg_class'::regclass AND depends.refobjid <> rule.ev_class
  LEFT JOIN pg_attribute AS attribute ON attribute.attrelid = depends.refobjid
    AND attribute.attnum = depends.refobjsubid AND depends.refobjsubid > 0
  WHERE rule.ev_class = $1::regclass`

const SHOWN = `SELECT attname AS column FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`

/** A row as a whole is noted as the table alone is; the query has it as a variable without a column. */
const READS_ROWS = `SELECT 1 FROM pg_rewrite
  WHERE ev_class = $1::regclass AND ev_action::text LIKE '%:varattno 0 %'`

const COLUMNS = Object.keys(getTableColumns(employees))

/**
 * Proves that a view reads no more than its definition says, since nothing else gives it a new version.
 * And that it can be divided as its definition says.
 *
 * @param connection in a transaction that has made the view
 * @throws {TypeError} that says what the query reads besides, or that it does not show what divides it
 */
export async function assertReads(
  connection: Connection,
  { name, reads, parts }: GeneratedView,
): Promise<void> {
  if (parts) {
    const columns = await connection.query<{ column: string }>(SHOWN, [name])
    assertShows(
      name,
      parts.by,
      columns.rows.map(({ column }) => column),
    )
    await connection.query(parts.sql, [null])
  }
  const { rows } = await connection.query<{ of: string; column: string | null }>(READ, [name])
  const more = rows
    .filter(({ of, column }) => of !== 'employees' || (column && !reads.includes(column)))
    .map(({ of, column }) => (column ? `${of}.${column}` : of))
  const readsRows = (await connection.query(READS_ROWS, [name])).rows.length > 0
  if (readsRows && !COLUMNS.every((column) => reads.includes(column))) more.push('rows as a whole')
  if (more.length === 0) return
  throw new TypeError(
    `The view ${name} reads more than the columns of employees that its definition lists (${reads.join(', ')}), ` +
      `so it would not be told of every change: it reads ${more.join(', ')}`,
  )
}
