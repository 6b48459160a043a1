import type Sqlite from 'better-sqlite3'
import { openSqlite } from '../../src/store/sqlite/open.js'
import type { Scope } from './scope.js'

/** A new database in memory, closed with the test. */
export function memoryDatabase(scope: Scope): Sqlite.Database {
  const { $client: client } = openSqlite('file::memory:')
  scope.teardown(() => client.close())
  return client
}
