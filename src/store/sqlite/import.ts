import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { ImportTooLong } from '../errors.js'
import type { Batch, EmployeeImport, Imported, KeyedRequest, NewEmployee } from '../store.js'
import { asDatabaseError, isLocked } from './errors.js'
import { LOCK_RETRY_MS } from './group-commit.js'
import { IdempotencyKeys } from './idempotency-keys.js'

export const LIMITS = {
  /** How long others' writes may be kept waiting: less than they wait before they give up. */
  writingMs: 4000,
  /** How long it waits for the lock. */
  lockTimeoutMs: 5000,
}
/** How long a statement may stand still in SQLite, and the event loop with it. */
const BUSY_TIMEOUT_MS = 2
/** Rows between two turns of the event loop: some ten milliseconds. */
const TURN = 1000
/** Holds the pages that it changes: those that do not fit are written several times. */
const CACHE_KIB = 64 * 1024
/** How much of what is staged may be in memory. */
const STAGED_KIB = 2 * 1024

interface Options {
  /** Of idempotency keys. */
  quota?: number | undefined
  /** Called when it is committed, before it is answered. */
  onBatch: (batch: Batch) => void
  limits?: Partial<typeof LIMITS> | undefined
}

/**
 * Creates very many employees beside a service that goes on. They are staged in a temporary table, which
 * SQLite keeps in a file that has no name for anybody to open, and that is gone with the process; then
 * written on a connection of their own, in one transaction, with a turn of the event loop between pieces.
 */
export class SqliteImport implements EmployeeImport {
  readonly #client: Sqlite.Database
  readonly #keys: IdempotencyKeys
  readonly #signal: AbortSignal
  readonly #limits: typeof LIMITS
  readonly #stage: Sqlite.Statement
  readonly #onBatch: Options['onBatch']
  #count = 0

  /** @param path of a file */
  constructor(path: string, signal: AbortSignal, { quota, onBatch, limits }: Options) {
    this.#signal = signal
    this.#onBatch = onBatch
    this.#limits = { ...LIMITS, ...limits }
    this.#client = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true })
    this.#client.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA secure_delete = ON;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA temp.cache_size = -${STAGED_KIB};
      CREATE TEMP TABLE staged (
        line integer PRIMARY KEY, name text, salary real, department text
      );`)
    this.#keys = new IdempotencyKeys(this.#client, quota)
    this.#stage = this.#client.prepare(
      'INSERT INTO staged VALUES (@line, @name, @salary, @department)',
    )
    // Of the temporary table alone: it locks nobody out.
    this.#client.exec('BEGIN')
  }

  add({ name, salary, department }: NewEmployee): undefined {
    this.#signal.throwIfAborted()
    try {
      this.#stage.run({ line: ++this.#count, name, salary, department })
    } catch (error) {
      throw asDatabaseError(error)
    }
  }

  async commit(request?: KeyedRequest): Promise<Imported> {
    try {
      this.#client.exec('COMMIT')
      await this.#begin()
      const begun = performance.now()
      const first = await this.#write(request)
      this.#client.exec('COMMIT')
      this.#onBatch({ writes: 1, seconds: (performance.now() - begun) / 1000, failed: false })
      return { count: this.#count, first, last: first + this.#count - 1 }
    } catch (error) {
      throw asDatabaseError(error)
    }
  }

  async close(): Promise<void> {
    this.#client.close()
  }

  async #begin(): Promise<void> {
    const deadline = performance.now() + this.#limits.lockTimeoutMs
    for (;;) {
      this.#signal.throwIfAborted()
      try {
        this.#client.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isLocked(error) || performance.now() > deadline) throw error
      }
      await delay(LOCK_RETRY_MS)
    }
  }

  /** @returns the first id */
  async #write(request: KeyedRequest | undefined): Promise<number> {
    const next = this.#client.prepare<[], number>(NEXT_ID).pluck().get() as number
    let isNew = !request
    const asNew = () => {
      isNew = true
      return next
    }
    const first = request ? this.#keys.once(request, asNew) : next
    if (isNew) await this.#insert(first)
    return first
  }

  async #insert(first: number): Promise<void> {
    const begun = performance.now()
    const insert = this.#client.prepare(INSERT)
    for (let after = 0; after < this.#count; after += TURN) {
      insert.run({ before: first - 1, after, limit: TURN })
      await setImmediate()
      this.#signal.throwIfAborted()
      if (performance.now() - begun > this.#limits.writingMs) {
        throw new ImportTooLong(this.#limits.writingMs)
      }
    }
  }
}

const NEXT_ID = `SELECT 1 + max(
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'employees'), 0),
  coalesce((SELECT max(id) FROM employees), 0))`
const INSERT = `INSERT INTO employees (id, name, salary, department)
  SELECT @before + line, name, salary, department FROM staged
  WHERE line > @after ORDER BY line LIMIT @limit`

/** As {@link SqliteImport} for a database in memory, which no second connection sees: staged in memory, too. */
export class MemoryImport implements EmployeeImport {
  readonly #staged: NewEmployee[] = []
  readonly #create: (staged: readonly NewEmployee[], request?: KeyedRequest) => Promise<number>

  /** @param create gives the first id */
  constructor(create: (staged: readonly NewEmployee[], request?: KeyedRequest) => Promise<number>) {
    this.#create = create
  }

  add(employee: NewEmployee): undefined {
    this.#staged.push(employee)
  }

  async commit(request?: KeyedRequest): Promise<Imported> {
    const first = await this.#create(this.#staged, request)
    const count = this.#staged.length
    return { count, first, last: first + count - 1 }
  }

  async close(): Promise<void> {}
}
