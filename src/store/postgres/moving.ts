import { DatabaseError } from 'pg'
import { UnusableDatabase } from '../errors.js'
import { type KeptKey, type Summary, Summing } from '../move.js'
import type { Employee } from '../store.js'
import { LongTransaction } from './long-transaction.js'
import { known } from './migrate.js'
import { hostsOfUrl, PostgresDatabase, START_MS } from './postgres-database.js'
import { Primary } from './primary.js'

/** What its URL is called in messages. */
const NAME = '--to'
/** Rows that are read back at once. */
const FETCH = 10_000

const TABLES = `SELECT to_regclass('migrations') IS NOT NULL AS "hasMigrations",
  to_regclass('employees') IS NOT NULL AND to_regclass('idempotency_keys') IS NOT NULL AS "hasTables"`
const ROWS = `SELECT (SELECT count(*) FROM employees) AS employees,
  (SELECT count(*) FROM idempotency_keys) AS keys`

/** What an empty PostgreSQL database gets of another database: all of it in one transaction. */
export class MoveTarget {
  readonly #db: PostgresDatabase
  readonly #transaction: LongTransaction

  private constructor(db: PostgresDatabase, transaction: LongTransaction) {
    this.#db = db
    this.#transaction = transaction
  }

  /**
   * Begins, where nobody is yet: makes the tables if there are none, and takes the writers' lock.
   *
   * @throws {UnusableDatabase} for a database that is not empty, or of another release; nothing was changed
   */
  static async open(url: string, interrupt: AbortSignal): Promise<MoveTarget> {
    await lookAt(url, interrupt)
    const db = await PostgresDatabase.open(url, { calledAs: NAME })
    let transaction: LongTransaction | undefined
    try {
      transaction = await LongTransaction.open(db.primary, interrupt)
      await transaction.begin()
      await assertEmpty(transaction)
      return new MoveTarget(db, transaction)
    } catch (error) {
      await transaction?.close()
      await db.close()
      throw named(error)
    }
  }

  async employees(rows: Iterable<Employee>): Promise<void> {
    const copy = this.#transaction.copyInto('employees (id, name, salary, department)')
    for (const { id, name, salary, department } of rows) {
      const sent = copy.add([id, name, salary, department])
      if (sent) await sent
    }
    await copy.end()
  }

  /** @param secret that they are sealed with */
  async keys(rows: Iterable<KeptKey>, secret: Buffer): Promise<void> {
    const copy = this.#transaction.copyInto(
      'idempotency_keys (client, key, body_hash, employee_id, created_at, number)',
    )
    for (const { client, key, digest, employeeId, createdAt, number } of rows) {
      const time = new Date(createdAt * 1000).toISOString()
      const sent = copy.add([client, bytea(key), bytea(digest), employeeId, time, number])
      if (sent) await sent
    }
    await copy.end()
    await this.#transaction.query("UPDATE secrets SET value = $1 WHERE name = 'idempotency_keys'", [
      secret,
    ])
  }

  /** What is there now, read back. */
  async summary(onEmployees: (count: number) => void): Promise<Summary> {
    const summing = new Summing()
    let count = 0
    for await (const rows of this.#read<Employee>(
      'SELECT id, name, salary, department FROM employees ORDER BY id',
    )) {
      for (const row of rows) summing.employee(row)
      count += rows.length
      onEmployees(count)
    }
    for await (const rows of this.#read<KeptKey>(
      `SELECT client, key, body_hash AS digest, employee_id AS "employeeId",
         extract(epoch FROM created_at)::bigint AS "createdAt", number
       FROM idempotency_keys ORDER BY client, number`,
    )) {
      for (const row of rows) summing.key(row)
    }
    return summing.end()
  }

  /**
   * Keeps all of it.
   *
   * @param lastId behind which ids go on
   * @throws an error that says so when nobody knows whether it was done
   */
  async commit(lastId: number): Promise<void> {
    // A rollback would not undo it: it comes last.
    await this.#transaction.query(GO_ON_BEHIND, [lastId])
    await this.#transaction.commit()
    await this.#transaction.query('ANALYZE employees, idempotency_keys').catch(() => {})
  }

  /** Whenever it is done with: of what was not committed, nothing is kept. */
  async close(): Promise<void> {
    await this.#transaction.close()
    await this.#db.close()
  }

  async *#read<Row extends object>(query: string): AsyncGenerator<Row[]> {
    await this.#transaction.query(`DECLARE found NO SCROLL CURSOR FOR ${query}`)
    for (;;) {
      const { rows } = await this.#transaction.query<Row>(`FETCH ${FETCH} FROM found`)
      yield rows
      if (rows.length < FETCH) break
    }
    await this.#transaction.query('CLOSE found')
  }
}

const GO_ON_BEHIND = `SELECT setval(sequence, greatest($1::bigint, pg_sequence_last_value(sequence::regclass)))
  FROM pg_get_serial_sequence('employees', 'id') AS given (sequence) WHERE $1::bigint > 0`

/** As it is, before anything is made in it. */
async function lookAt(url: string, interrupt: AbortSignal): Promise<void> {
  const primary = new Primary(hostsOfUrl(url, NAME), undefined)
  try {
    await primary.first(START_MS)
    const transaction = await LongTransaction.open(primary, interrupt)
    try {
      const [has] = (
        await transaction.query<Record<'hasMigrations' | 'hasTables', boolean>>(TABLES)
      ).rows
      if (has?.hasMigrations) await assertRelease(transaction)
      if (has?.hasMigrations && has.hasTables) await assertEmpty(transaction)
    } finally {
      await transaction.close()
    }
  } catch (error) {
    throw named(error)
  } finally {
    await primary.close()
  }
}

function named(error: unknown): unknown {
  const isOfSchema = error instanceof DatabaseError && error.code?.startsWith('42')
  if (!isOfSchema && !(error instanceof UnusableDatabase)) return error
  const what = isOfSchema ? `it is of another program (${error.message})` : error.message
  return new UnusableDatabase(`${NAME}: ${what}`, { cause: error })
}

async function assertRelease(transaction: LongTransaction): Promise<void> {
  const { rows } = await transaction.query<{ name: string }>('SELECT name FROM migrations')
  const applied = rows.map(({ name }) => name)
  const own = known()
  const newer = applied.filter((name) => !own.includes(name)).sort()
  if (newer.length > 0) {
    throw new UnusableDatabase(
      `it is of a newer release, by its migration ${newer.at(-1)}: move with that release`,
    )
  }
  const missing = own.filter((name) => !applied.includes(name))
  if (missing.length > 0) {
    throw new UnusableDatabase(
      `it is of an older release, without the migration ${missing[0]}: start this release over it once`,
    )
  }
}

async function assertEmpty(transaction: LongTransaction): Promise<void> {
  const [row] = (await transaction.query<{ employees: number; keys: number }>(ROWS)).rows
  const { employees = 0, keys = 0 } = row ?? {}
  if (employees === 0 && keys === 0) return
  const has = employees > 0 ? 'employees' : 'idempotency keys'
  throw new UnusableDatabase(`it is not empty, it has ${has} already: name a new database`)
}

/** In COPY's text format. */
function bytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`
}
