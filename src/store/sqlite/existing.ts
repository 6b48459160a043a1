import { existsSync, statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { UnusableDatabase } from '../errors.js'

/** @throws {UnusableDatabase} in a line that names the URL, unless its file is there and has something in it */
export function assertFile(url: string, path: string): void {
  if (path === ':memory:' || !existsSync(path)) {
    throw new UnusableDatabase(`${url} is not there: name the file of a database`)
  }
  const stat = statSync(path)
  if (!stat.isFile()) throw new UnusableDatabase(`${url} is no file: name the file of a database`)
  if (stat.size === 0) throw new UnusableDatabase(`${url} is empty: name the file of a database`)
}

/** What an error of reading a database that must be there means to who has named it. */
export function explainedRead(error: unknown, url: string): unknown {
  if (error instanceof UnusableDatabase) return new UnusableDatabase(`${url} ${error.message}`)
  if (!(error instanceof Sqlite.SqliteError)) return error
  const { code, message } = error
  const what = code.startsWith('SQLITE_NOTADB')
    ? 'is no SQLite database'
    : code === 'SQLITE_ERROR'
      ? 'is of another program, or was changed by hand'
      : 'cannot be read'
  return new UnusableDatabase(`${url} ${what} (${message})`)
}
