import Sqlite from 'better-sqlite3'
import { DatabaseUnavailable } from '../errors.js'

/** What only the moment forbids: locks, a full disk, I/O errors, a file that went away. */
const MOMENTARY = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM)/

/** An error of the database as the service tells it: 503 if it may go away by itself. */
export function asDatabaseError(error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError) || !MOMENTARY.test(error.code)) return error
  return Object.assign(new DatabaseUnavailable(error.code), { cause: error })
}

/** Runs a read; what only the moment forbids becomes a 503. */
export function attempt<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw asDatabaseError(error)
  }
}

/** Whether another connection holds the lock that a write needs. */
export function isLocked(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/** Whether a constraint or a trigger has refused what a statement did. */
export function isConstraint(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')
}
