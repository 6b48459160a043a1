import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** A database in WAL mode. SQLite gives the second and the third the mode of the first. */
export const SUFFIXES = ['', '-wal', '-shm']
const OTHERS = 0o077

/**
 * Makes an empty file that its owner alone may read, which SQLite takes for a new database, and the
 * folders that it needs, for their owner alone as well. What is there already stays as it is: somebody
 * may have opened it to others for a reason.
 *
 * @returns whether it was made
 */
export function createPrivate(path: string): boolean {
  makeFolder(dirname(resolve(path)))
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

/** A folder that was made is there after a power cut when the one that it is in was synced. */
function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Windows opens no folders.
  if (first === undefined || process.platform === 'win32') return
  for (let made = folder; made.length >= first.length; made = dirname(made))
    syncFolder(dirname(made))
}

export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The files of a database that others than their owner may read or write. */
export function exposedFiles(path: string): string[] {
  // Windows keeps access lists, and shows any file as open to everybody.
  if (process.platform === 'win32') return []
  return SUFFIXES.map((suffix) => path + suffix).filter((file) => {
    const { mode = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {}
    return (mode & OTHERS) !== 0
  })
}

interface Log {
  info(line: object, message: string): void
  warn(line: object, message: string): void
}

/** Writes one line about exposed files into a log in the manner of Pino. */
export function logExposed(log: Log): (files: string[]) => void {
  return (files) =>
    log.warn(
      { files },
      'others than the owner may read or change the database, and so salaries: chmod 600 if they need not',
    )
}

/** Writes one line about a database that was made: where the path is mistyped, it is not the one that was meant. */
export function logCreated(log: Log): (file: string) => void {
  return (file) => log.info({ 'file.path': file }, 'a new database was made')
}
