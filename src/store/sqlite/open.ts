import { readdirSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'
import { getTableColumns } from 'drizzle-orm'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import * as schema from '../../../drizzle/sqlite/schema.js'
import type { OpenOptions } from '../database.js'
import { UnusableDatabase } from '../errors.js'
import { migrationFunctions } from '../idempotency-digests.js'
import type { ViewChange } from '../view-changes.js'
import type { GeneratedView } from '../views/generate.js'
import { explained } from './explained.js'
import { MAX_MEMORY_BYTES } from './memory-copies.js'
import { createPrivate, exposedFiles } from './private-files.js'
import { registeredViews } from './registered-views.js'
import { ViewKeeper } from './view-keeper.js'

export type Drizzle = BetterSQLite3Database<typeof schema> & { $client: Sqlite.Database }

export interface SqliteOptions extends OpenOptions {
  /** The cached views of this release; those in `drizzle/views` if left out. */
  views?: readonly GeneratedView[]
}

/** How long the start waits for another process that holds the lock, migrating for instance. */
const START_TIMEOUT_MS = 5000
/** How long a statement may stand still in SQLite, and the event loop with it. */
const BUSY_TIMEOUT_MS = 2
/** SQLite's page size since 3.12. */
const PAGE_BYTES = 4096

/**
 * Opens the database that a `file:` URL names, makes it and its directory for their owner alone if they
 * are not there, and brings its schema and its cached views up to date. `file::memory:` is a database
 * of this process that ends with it.
 *
 * @throws {UnusableDatabase} when it cannot be opened, or is no database of this service
 */
export function openSqlite(url: string, options: SqliteOptions = {}): Drizzle {
  const path = pathOf(url)
  const unknown: string[] = []
  let client: Sqlite.Database | undefined
  try {
    const isNew = path !== ':memory:' && makeFile(url, path)
    client = new Sqlite(path, { timeout: START_TIMEOUT_MS })
    assertEncoding(client, url)
    prepare(client, unknown, options)
    if (isNew) options.onCreated?.(resolve(path))
    const exposed = client.memory ? [] : exposedFiles(path)
    if (exposed.length > 0) options.onExposed?.(exposed)
    return drizzle({ client, schema })
  } catch (error) {
    client?.close()
    throw explained(error, url, unknown)
  }
}

/** Of a `file:` URL. */
export function pathOf(url: string): string {
  return url.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
}

/** @returns whether it was not there */
function makeFile(url: string, path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const file = `${url.replace(/\/$/, '')}/employees.db`
    throw new UnusableDatabase(`DATABASE_URL=${url} is a directory: name a file, like ${file}`)
  }
  return createPrivate(path)
}

/** @param unknown gets the migrations that only another release knows */
function prepare(
  client: Sqlite.Database,
  unknown: string[],
  { views = registeredViews, onViewChange = () => {} }: SqliteOptions,
): void {
  client.pragma('journal_mode = WAL')
  client.pragma('synchronous = FULL')
  client.pragma('foreign_keys = ON')
  if (client.memory) client.pragma(`max_page_count = ${MAX_MEMORY_BYTES / PAGE_BYTES}`)
  // What was deleted is overwritten, in pages that become free as well (FAST would leave those): whoever
  // gets the file one day reads nobody's salary who left before.
  client.pragma('secure_delete = ON')
  for (const change of bringUpToDate(client, views, unknown)) onViewChange(change)
  client.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
}

/** Text is ordered by its bytes, by the database and where views are made of their parts. */
function assertEncoding(client: Sqlite.Database, url: string): void {
  const encoding = client.pragma('encoding', { simple: true })
  if (encoding === 'UTF-8') return
  throw new UnusableDatabase(
    `DATABASE_URL=${url} has its text in ${encoding}, and must have it in UTF-8: name another file (".dump" of sqlite3 tells what is in this one)`,
  )
}

/**
 * One transaction, so that processes that start at once do it once, and no writer ever meets a
 * migrated table without the triggers of its views.
 */
function bringUpToDate(
  client: Sqlite.Database,
  views: readonly GeneratedView[],
  unknown: string[],
): ViewChange[] {
  return client
    .transaction(() => {
      const applied = migrate(client)
      const own = known()
      unknown.push(...applied.filter((name) => !own.includes(name)))
      assertTables(client)
      const changes = new ViewKeeper(client, views).keep(true)
      return applied.length === 0 ? [] : changes
    })
    .immediate()
}

/**
 * A newer release may have been here, and this one be started again: its migrations leave what this one
 * reads, as they should, or it is found out now and not by a request.
 */
function assertTables(client: Sqlite.Database): void {
  for (const table of Object.values(schema)) {
    const columns = Object.values(getTableColumns(table)).map(({ name }) => `"${name}"`)
    client.prepare(`SELECT ${columns} FROM "${getTableConfig(table).name}"`)
  }
}

const migrations = fileURLToPath(new URL('../../../../drizzle/sqlite/', import.meta.url))

/** The migrations of this release. */
export function known(): string[] {
  return readdirSync(migrations).filter((name) => name.endsWith('.sql'))
}

/**
 * Applies the SQL files of `drizzle/sqlite/` that this database has not seen, in the order of their names.
 *
 * Drizzle's own migrator looks for what is missing before it takes the write lock, so two processes
 * that start on a new file would both create its tables; and its journal is one more file to edit.
 *
 * @returns those that were applied before
 */
function migrate(client: Sqlite.Database): string[] {
  client.exec(
    'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at text NOT NULL) STRICT',
  )
  const applied = client.prepare<[], string>('SELECT name FROM migrations').pluck().all()
  for (const [name, run] of Object.entries(migrationFunctions)) {
    client.function(name, { deterministic: true, directOnly: true }, run)
  }
  const record = client.prepare("INSERT INTO migrations VALUES (?, datetime('now'))")
  for (const name of known().sort()) {
    if (applied.includes(name)) continue
    client.exec(readFileSync(`${migrations}/${name}`, 'utf8'))
    record.run(name)
  }
  return applied
}
