import type Sqlite from 'better-sqlite3'
import { openDatabase } from '../../src/store/sqlite/database.js'
import type { Scope } from './scope.js'

/** A new database in memory, closed with the test. */
export function memoryDatabase(scope: Scope): Sqlite.Database {
  const { $client: client } = openDatabase('file::memory:')
  scope.teardown(() => client.close())
  return client
}
