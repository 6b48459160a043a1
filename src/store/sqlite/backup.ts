import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import Sqlite from 'better-sqlite3'
import { assertFile, explainedRead } from './existing.js'
import { pathOf } from './open.js'
import { SUFFIXES, syncFolder } from './private-files.js'

/** Pages between two looks at the progress, and at a signal: 4 MiB. */
const STEP_PAGES = 1000

interface BackupOptions {
  /** Replace what is there. */
  force?: boolean | undefined
  interrupt?: AbortSignal | undefined
  onProgress?: (done: number, total: number) => void
}

/**
 * Copies the database that a `file:` URL names into one file, for its owner alone: one moment of it, whatever
 * is written meanwhile. The file gets its name when it is whole, checked and on the disk; else nothing stays.
 *
 * @returns its size in bytes
 * @throws {UnusableDatabase}, and an error whose message says what is there or cannot be written
 */
export async function backUp(
  url: string,
  file: string,
  { force = false, interrupt, onProgress = () => {} }: BackupOptions = {},
): Promise<number> {
  const path = pathOf(url)
  assertFile(url, path)
  assertFree(path, file, force)
  const whole = join(dirname(resolve(file)), `.${basename(file)}.${process.pid}.tmp`)
  makeEmpty(whole, file)
  try {
    await copy(url, path, whole, (done, total) => {
      interrupt?.throwIfAborted()
      onProgress(done, total)
    })
    check(whole)
    sync(whole)
    assertFree(path, file, force)
    renameSync(whole, file)
    if (process.platform !== 'win32') syncFolder(dirname(resolve(file)))
    return statSync(file).size
  } finally {
    for (const suffix of [...SUFFIXES, '-journal']) rmSync(whole + suffix, { force: true })
  }
}

/** Of one transaction that reads: without it SQLite begins anew when somebody else has written meanwhile. */
async function copy(
  url: string,
  path: string,
  whole: string,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  let client: Sqlite.Database | undefined
  try {
    client = new Sqlite(path, { readonly: true, fileMustExist: true })
    client.exec('BEGIN; SELECT count(*) FROM migrations')
    await client.backup(whole, {
      progress({ totalPages, remainingPages }) {
        onProgress(totalPages - remainingPages, totalPages)
        return STEP_PAGES
      },
    })
  } catch (error) {
    const isFull = error instanceof Sqlite.SqliteError && error.code === 'SQLITE_FULL'
    throw isFull ? new Error(`There is no room for ${whole}`) : explainedRead(error, url)
  } finally {
    client?.close()
  }
}

/** @throws if it is no whole database */
function check(file: string): void {
  const client = new Sqlite(file, { fileMustExist: true })
  try {
    // So that it is one file for whoever opens it, and no log has to be copied with it.
    client.pragma('journal_mode = DELETE')
    const found = client.pragma('integrity_check(1)', { simple: true })
    if (found !== 'ok') throw new Error(`The database is damaged: ${found}. No backup was written`)
  } finally {
    client.close()
  }
}

function makeEmpty(whole: string, file: string): void {
  try {
    closeSync(openSync(whole, 'wx', 0o600))
  } catch (error) {
    throw new Error(`${file} cannot be written (${(error as Error).message})`)
  }
}

/** @throws if something is there that must stay */
function assertFree(path: string, file: string, force: boolean): void {
  const logs = SUFFIXES.slice(1).map((suffix) => file + suffix)
  const taken = logs.find((log) => existsSync(log))
  if (SUFFIXES.some((suffix) => isSame(path + suffix, file)))
    throw new Error(`${file} is the database itself: name another file`)
  // Its log would be read into the backup.
  if (taken)
    throw new Error(`${taken} is there, so ${file} is a database in use: name another file`)
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isDirectory()) throw new Error(`${file} is a directory: name a file in it`)
  if (stat && !force) throw new Error(`${file} is there already: --force replaces it`)
}

function isSame(one: string, other: string): boolean {
  const [mine, theirs] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }))
  return mine !== undefined && mine.dev === theirs?.dev && mine.ino === theirs.ino
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
