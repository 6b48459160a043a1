import type { GeneratedView } from '../views/generate.js'
import type { Connection } from './connection.js'

/** What a view depends on, as PostgreSQL has noted it: columns of tables, and rows as a whole. */
const READ = `SELECT DISTINCT depends.refobjid::regclass::text AS of,
    coalesce(attribute.attname, 'every column') AS column
  FROM pg_rewrite AS rule
  JOIN pg_depend AS depends ON depends.objid = rule.oid AND depends.classid = 'pg_rewrite'::regclass
    AND depends.refclassid = 'pg_class'::regclass AND depends.refobjid <> rule.ev_class
  LEFT JOIN pg_attribute AS attribute ON attribute.attrelid = depends.refobjid
    AND attribute.attnum = depends.refobjsubid AND depends.refobjsubid > 0
  WHERE rule.ev_class = $1::regclass`

/**
 * Proves that a view reads no more than its definition says, since nothing else gives it a new version.
 *
 * @param connection in a transaction that has made the view
 * @throws {TypeError} that says what the query reads besides
 */
export async function assertReads(
  connection: Connection,
  { name, reads }: GeneratedView,
): Promise<void> {
  const { rows } = await connection.query<{ of: string; column: string }>(READ, [name])
  const more = rows.filter(({ of, column }) => of !== 'employees' || !reads.includes(column))
  // A table whose columns are listed is also noted as a whole.
  const columns = more.filter(({ of, column }) => of !== 'employees' || column !== 'every column')
  if (columns.length === 0) return
  throw new TypeError(
    `The view ${name} reads more than the columns of employees that its definition lists (${reads.join(', ')}), ` +
      `so it would not be told of every change: it reads ${columns.map(({ of, column }) => `${of}.${column}`).join(', ')}`,
  )
}
