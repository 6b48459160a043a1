import { UnusableDatabase } from '../errors.js'

/** By the beginning of SQLite's code. */
const OF_SQLITE: [code: string, says: string][] = [
  ['SQLITE_NOTADB', 'is no SQLite database: name another file, which is made if it is not there'],
  ['SQLITE_CORRUPT', 'is damaged: restore a backup'],
  ['SQLITE_BUSY', 'is locked by another process: end that, and start again'],
  ['SQLITE_FULL', 'has no room to grow: free some of the disk'],
  ['SQLITE_CANTOPEN', 'cannot be opened: this user must be able to write the file and its folder'],
  ['SQLITE_READONLY', 'cannot be written: this user must be able to write the file and its folder'],
]

interface Failed {
  message: string
  /** SQLite's, or the system's. */
  code?: string
  /** Of the system. */
  syscall?: string
}

/**
 * What an error of opening a database means to who has configured it.
 *
 * @param unknown migrations that were applied to it, and that this release does not have
 * @returns the error itself if it tells of neither SQLite nor the file system
 */
export function explained(error: unknown, url: string, unknown: string[]): unknown {
  const { message, code = '', syscall } = error as Failed
  const name = `DATABASE_URL=${url}`
  if (syscall !== undefined) {
    const what = syscall === 'mkdir' ? 'its folder' : 'the file'
    return new UnusableDatabase(
      `${name}: ${what} cannot be made, name one that this user may write (${message})`,
    )
  }
  if (!code.startsWith('SQLITE_')) return error
  const [, says] = OF_SQLITE.find(([prefix]) => code.startsWith(prefix)) ?? []
  if (says !== undefined) return new UnusableDatabase(`${name} ${says} (${message})`)
  if (unknown.length > 0) {
    return new UnusableDatabase(
      `${name} is of a newer release, by its migration ${unknown.at(-1)}: start that release, or ` +
        `restore a backup of before it (${message})`,
    )
  }
  return new UnusableDatabase(
    `${name} is of another program, or was changed by hand: name another file, which is made if it ` +
      `is not there (${message})`,
  )
}
