import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { getTableColumns } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { DatabaseError } from 'pg'
import * as schema from '../../../drizzle/postgres/schema.js'
import { UnusableDatabase } from '../errors.js'
import type { ViewChange } from '../view-changes.js'
import type { Connection } from './connection.js'
import { isLocked } from './errors.js'
import type { ViewKeeper } from './view-keeper.js'

/** Held by whoever changes the schema, so that processes that start at once do it once. */
const SCHEMA_LOCK = 7014
/**
 * How long it waits for a table that somebody uses, in milliseconds: whoever comes meanwhile waits behind
 * it, if only to read.
 */
const TABLE_MS = 200
/** How often and for how long the start tries it again, in milliseconds. */
const AGAIN_MS = 500
const LOCKED_MS = 60_000

const migrations = fileURLToPath(new URL('../../../../drizzle/postgres/', import.meta.url))

/**
 * Applies the SQL files of `drizzle/postgres/` that the database has not seen, in the order of their names,
 * and puts the cached views in place: one transaction, so no writer ever meets a migrated table without
 * its triggers.
 *
 * @returns what was done about views, unless the database is new
 * @throws {UnusableDatabase} for one of a newer release, that this one cannot read
 */
export async function bringUpToDate(
  connection: Connection,
  keeper: ViewKeeper,
): Promise<ViewChange[]> {
  // Whoever serves need not own the tables, where somebody else has brought them up to date.
  if (await isUpToDate(connection, keeper)) return []
  return untilUnlocked(() => inSchemaLock(connection, () => migrate(connection, keeper)))
}

/** The migrations of this release, in their order. */
export function known(): string[] {
  return readdirSync(migrations)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

async function migrate(connection: Connection, keeper: ViewKeeper): Promise<ViewChange[]> {
  await connection.query(MIGRATIONS)
  const applied = await appliedTo(connection)
  const own = known()
  for (const name of own) {
    if (applied.includes(name)) continue
    await apply(connection, readFileSync(`${migrations}/${name}`, 'utf8'))
    await connection.query('INSERT INTO migrations (name) VALUES ($1)', [name])
  }
  await assertTables(
    connection,
    applied.filter((name) => !own.includes(name)),
  )
  const changes = await keeper.keep(connection, true)
  return applied.length === 0 ? [] : changes
}

async function untilUnlocked<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LOCKED_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isLocked(error)) throw error
      if (performance.now() > deadline) throw new UnusableDatabase(LOCKED, { cause: error })
      await delay(AGAIN_MS)
    }
  }
}

const LOCKED =
  'its tables are locked by a transaction that does not end: see pg_stat_activity, and end it'

/**
 * Does something in a transaction, alone among those that change the schema.
 *
 * @throws an error with the code 55P03 if a table is in use for longer than others may wait
 */
export async function inSchemaLock<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query('BEGIN')
  try {
    await connection.query(`SELECT pg_advisory_xact_lock(${SCHEMA_LOCK})`)
    await connection.query(`SET LOCAL lock_timeout = ${TABLE_MS}`)
    const result = await work()
    await connection.query('COMMIT')
    return result
  } catch (error) {
    await connection.query('ROLLBACK').catch(() => {})
    throw error
  }
}

const MIGRATIONS = `CREATE TABLE IF NOT EXISTS migrations (
  name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`

async function isUpToDate(connection: Connection, keeper: ViewKeeper): Promise<boolean> {
  const { rows } = await connection.query<{ isThere: boolean }>(
    `SELECT to_regclass('migrations') IS NOT NULL AS "isThere"`,
  )
  if (!rows[0]?.isThere) return false
  const applied = await appliedTo(connection)
  const own = known()
  if (!own.every((name) => applied.includes(name))) return false
  await assertTables(
    connection,
    applied.filter((name) => !own.includes(name)),
  )
  return !(await keeper.isDue(connection))
}

async function appliedTo(connection: Connection): Promise<string[]> {
  const { rows } = await connection.query<{ name: string }>('SELECT name FROM migrations')
  return rows.map(({ name }) => name)
}

async function apply(connection: Connection, migration: string): Promise<void> {
  try {
    await connection.query(migration)
  } catch (error) {
    throw isOfSchema(error) ? otherProgram(error) : error
  }
}

/**
 * A newer release may have been here, and this one be started again: its migrations leave what this one
 * reads, as they should, or it is found out now and not by a request.
 */
async function assertTables(connection: Connection, unknown: string[]): Promise<void> {
  const newest = unknown.toSorted().at(-1)
  for (const table of Object.values(schema).filter((each) => each instanceof PgTable)) {
    const columns = Object.values(getTableColumns(table)).map(({ name }) => `"${name}"`)
    try {
      await connection.query(`SELECT ${columns} FROM "${getTableConfig(table).name}" LIMIT 0`)
    } catch (error) {
      if (!isOfSchema(error)) throw error
      if (newest === undefined) throw otherProgram(error)
      throw new UnusableDatabase(
        `it is of a newer release, by its migration ${newest}: start that release, or restore a backup of before it (${error.message})`,
        { cause: error },
      )
    }
  }
}

/** Whether an error is about what is there, or is not; and not about who may use it. */
function isOfSchema(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && /^42(?!501)/.test(error.code ?? '')
}

function otherProgram(error: DatabaseError): UnusableDatabase {
  return new UnusableDatabase(
    `it is of another program, or was changed by hand: name another database (${error.message})`,
    { cause: error },
  )
}
