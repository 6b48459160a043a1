import type Sqlite from 'better-sqlite3'
import type { AnyDatabase } from '../../src/store/open.js'

/** The SQLite connection of a service, for what only that has. */
export function sqliteOf(db: AnyDatabase): Sqlite.Database {
  if (db.dialect !== 'sqlite')
    throw new Error(`This is for SQLite, and the database is ${db.dialect}`)
  return db.drizzle.$client
}
