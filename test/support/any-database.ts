import { join } from 'node:path'
import type { Dialect } from '../../drizzle/define-view.js'
import { employeesDatabase } from './postgres-database.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

/** The database that tests run on; `npm test` runs them on each. */
export const dialect: Dialect = process.env.TEST_DATABASE === 'postgres' ? 'postgres' : 'sqlite'

/** For a test that can only be true of SQLite, or of PostgreSQL; its name says so. */
export const onSqlite = { skip: dialect !== 'sqlite' && 'of SQLite alone' }
export const onPostgres = { skip: dialect !== 'postgres' && 'of PostgreSQL alone' }

/** The URL of a new database of the test's own, of the kind that tests run on unless it is said. */
export async function newDatabase(scope: Scope, kind: Dialect = dialect): Promise<string> {
  return kind === 'postgres'
    ? employeesDatabase(scope)
    : `file:${join(await temporaryDirectory(scope), 'employees.db')}`
}
