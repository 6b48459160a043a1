import type Sqlite from 'better-sqlite3'
import { DatabaseUnavailable, TooManyWrites } from '../errors.js'
import type { Batch } from '../store.js'
import { WriteQueue } from '../write-queue.js'
import { asDatabaseError, isConstraint, isLocked } from './errors.js'

const LIMITS = {
  /** Rows in one transaction: bounds how long the event loop stands still for it. A write of more has its own. */
  batch: 256,
  /** Rows that may wait to be written; what comes to more is turned away. */
  waiting: 10_000,
  /** How long a write waits for another process to give up its lock. */
  lockTimeoutMs: 5000,
}
export const LOCK_RETRY_MS = 5

type Options = Partial<typeof LIMITS> & {
  /** Called for each transaction, before its writes are answered. */
  onBatch?: ((batch: Batch) => void) | undefined
}

interface Write {
  work: () => unknown
  rows: number
  /** It needs no savepoint. */
  isOne: boolean
  resolve: (value: never) => void
  reject: (error: unknown) => void
  deadline: number
}

type Outcome = { value: unknown } | { error: unknown }

/**
 * Group commit: writes that arrive in the same turn of the event loop share one durable transaction,
 * because what a durable write costs is its fsync. Each has a savepoint of its own, so one that fails
 * leaves its neighbours alone, and nobody is answered before the commit, which is all or nothing.
 * (DeWitt et al., Implementation Techniques for Main Memory Database Systems, 1984.)
 *
 * While another process holds the write lock the queue waits on a timer, not in SQLite, so the event
 * loop goes on.
 */
export class GroupCommit {
  readonly #client: Sqlite.Database
  readonly #limits: typeof LIMITS
  readonly #onBatch: Options['onBatch']
  readonly #statements: Record<'begin' | 'save' | 'release' | 'undo' | 'commit', Sqlite.Statement>
  readonly #waiting = new WriteQueue<Write>()
  #scheduled = false

  /** @param client with a `busy_timeout` of a few milliseconds at most */
  constructor(client: Sqlite.Database, { onBatch, ...limits }: Options = {}) {
    this.#client = client
    this.#onBatch = onBatch
    this.#limits = { ...LIMITS, ...limits }
    this.#statements = {
      begin: client.prepare('BEGIN IMMEDIATE'),
      save: client.prepare('SAVEPOINT one_write'),
      release: client.prepare('RELEASE one_write'),
      undo: client.prepare('ROLLBACK TO one_write'),
      commit: client.prepare('COMMIT'),
    }
  }

  /** Rows that wait to be written. */
  get waiting(): number {
    return this.#waiting.rows
  }

  /**
   * Runs `work`, which must be synchronous, inside a transaction, and resolves with what it returned
   * once that is durable. If it throws, its changes are undone and the promise rejects with its error.
   *
   * @param rows that it writes
   */
  run<T>(work: () => T, rows = 1): Promise<T> {
    return this.#run(work, rows, false)
  }

  /**
   * As `run`, for work that changes something with its last statement alone: of a statement that fails
   * SQLite undoes everything by itself, so no savepoint is needed (https://sqlite.org/lang_conflict.html).
   * Where a trigger of somebody's says FAIL it does not; then the transaction is begun anew, with savepoints.
   */
  runOne<T>(work: () => T): Promise<T> {
    return this.#run(work, 1, true)
  }

  #run<T>(work: () => T, rows: number, isOne: boolean): Promise<T> {
    if (this.waiting + rows > this.#limits.waiting) return Promise.reject(new TooManyWrites())
    return new Promise<T>((resolve, reject) => {
      const deadline = performance.now() + this.#limits.lockTimeoutMs
      this.#waiting.push({ work, rows, isOne, resolve, reject, deadline })
      // The check phase comes after all the requests that this turn of the event loop brings.
      this.#schedule(setImmediate)
    })
  }

  /** Turns away what still waits. */
  close(): void {
    for (const { reject } of this.#waiting.takeAll()) reject(new DatabaseUnavailable('closing'))
  }

  #schedule(timer: (flush: () => void, delay: number) => unknown): void {
    if (this.#scheduled) return
    this.#scheduled = true
    timer(() => {
      this.#scheduled = false
      if (this.#waiting.first) this.#flush()
    }, LOCK_RETRY_MS)
  }

  #flush(): void {
    const started = performance.now()
    try {
      this.#statements.begin.run()
    } catch (error) {
      if (isLocked(error)) this.#waitForLock(error)
      else this.#turnAway(this.#waiting.takeAll(), error)
      return
    }
    const batch = this.#waiting.take(this.#limits.batch)
    if (this.#waiting.first) this.#schedule(setImmediate)
    const outcomes = this.#commit(batch)
    const seconds = (performance.now() - started) / 1000
    this.#onBatch?.({ writes: batch.length, seconds, failed: !Array.isArray(outcomes) })
    settle(batch, outcomes)
  }

  #turnAway(batch: Write[], error: unknown): void {
    this.#onBatch?.({ writes: batch.length, seconds: 0, failed: true })
    settle(batch, { error })
  }

  /** What became of each write, or the error that undid all of them. */
  #commit(batch: Write[]): Outcome[] | { error: unknown } {
    const [only] = batch
    if (only && batch.length === 1) return this.#commitAlone(only)
    try {
      const outcomes = this.#attemptAll(batch) ?? this.#attemptAnew(batch)
      this.#statements.commit.run()
      return outcomes
    } catch (error) {
      if (this.#client.inTransaction) this.#client.exec('ROLLBACK')
      return { error }
    }
  }

  /** @returns undefined if a write that has failed without a savepoint may have left something */
  #attemptAll(batch: Write[]): Outcome[] | undefined {
    const outcomes: Outcome[] = []
    for (const write of batch) {
      const outcome = this.#attempt(write)
      if (write.isOne && 'error' in outcome && isConstraint(outcome.error)) return undefined
      outcomes.push(outcome)
    }
    return outcomes
  }

  #attemptAnew(batch: Write[]): Outcome[] {
    this.#client.exec('ROLLBACK')
    this.#statements.begin.run()
    return batch.map((write) => this.#attempt({ ...write, isOne: false }))
  }

  /**
   * A write without neighbours needs no savepoint: what undoes it undoes the transaction. Under one, SQLite
   * writes what each page was before into a temporary file, which is most of what thousands of rows cost.
   */
  #commitAlone({ work }: Write): Outcome[] | { error: unknown } {
    let isDone = false
    try {
      const value = work()
      isDone = true
      this.#statements.commit.run()
      return [{ value }]
    } catch (error) {
      const isIntact = this.#client.inTransaction
      if (isIntact) this.#client.exec('ROLLBACK')
      // It has failed by itself, and not the transaction under it.
      return isIntact && !isDone ? [{ error }] : { error }
    }
  }

  #attempt({ work, isOne }: Write): Outcome {
    const { save, release, undo } = this.#statements
    if (!isOne) save.run()
    try {
      const value = work()
      if (!isOne) release.run()
      return { value }
    } catch (error) {
      // A full disk or an I/O error may have ended the whole transaction.
      if (!this.#client.inTransaction) throw error
      if (!isOne) {
        undo.run()
        release.run()
      }
      return { error }
    }
  }

  #waitForLock(error: unknown): void {
    const now = performance.now()
    const late = this.#waiting.takeWhere(({ deadline }) => deadline <= now)
    if (late.length > 0) this.#turnAway(late, error)
    if (this.#waiting.first) this.#schedule(setTimeout)
  }
}

function settle(batch: Write[], result: Outcome[] | { error: unknown }): void {
  for (const [i, write] of batch.entries()) {
    const outcome = Array.isArray(result) ? (result[i] as Outcome) : result
    if ('error' in outcome) write.reject(asDatabaseError(outcome.error))
    else write.resolve(outcome.value as never)
  }
}
