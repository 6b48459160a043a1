import type { OpenOptions } from './database.js'
import { PostgresDatabase } from './postgres/postgres-database.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'

export type AnyDatabase = SqliteDatabase | PostgresDatabase

/**
 * Opens the database that `DATABASE_URL` names, and brings its schema and its cached views up to date.
 *
 * @throws {UnusableDatabase} when it cannot be opened, or is no database of this service
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<AnyDatabase> {
  if (/^postgres(?:ql)?:/.test(url)) return PostgresDatabase.open(url, options)
  return new SqliteDatabase(url, options)
}
