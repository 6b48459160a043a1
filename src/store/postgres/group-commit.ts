import { DatabaseError } from 'pg'
import { DatabaseUnavailable, TooManyWrites } from '../errors.js'
import type { Batch as BatchStats } from '../store.js'
import { WriteQueue } from '../write-queue.js'
import { Batch, isIdTaken, skipTakenIds } from './batch.js'
import { type Connection, reasonOf } from './connection.js'
import { asDatabaseError, ConnectionLost, isLeaving, OutcomeUnknown } from './errors.js'
import type { IdempotencyKeys } from './idempotency-keys.js'
import { type Operation, type Outcome, rowsOf } from './operations.js'
import { LEAST_MS, type Primary, within } from './primary.js'
import { LOCK_TIMEOUT_MS, type Session } from './session.js'

const LIMITS = {
  /** Rows in one transaction: bounds how long others wait for its lock. A write of more has its own. */
  batch: 256,
  /** Rows that may wait to be written; what comes to more is turned away. */
  waiting: 10_000,
  /** How long a write may take, from its arrival. */
  patienceMs: 2500,
}

/** How often it is looked, while something else takes its time, who has waited too long, in milliseconds. */
const LATE_EVERY_MS = 250

interface Waiting {
  rows: number
  resolve: (value: never) => void
  reject: (error: unknown) => void
  deadline: number
}
type Write = Waiting & { operation: Operation }
/** Something that has a transaction of its own. */
type Work = Waiting & { work: (connection: Connection) => Promise<unknown> }

interface Options {
  limits?: Partial<typeof LIMITS> | undefined
  /** Called for each transaction, before its writes are answered. */
  onBatch?: ((batch: BatchStats) => void) | undefined
}

/**
 * Group commit: while a transaction is under way, the writes that arrive wait, and share the next one. What
 * a transaction costs (round trips, the writers' lock, the confirmation of a standby) is paid once for
 * all of them.
 */
export class GroupCommit {
  readonly #primary: Primary
  readonly #keys: IdempotencyKeys
  readonly #limits: typeof LIMITS
  readonly #onBatch: Options['onBatch']
  readonly #waiting = new WriteQueue<Write | Work>()
  #isRunning = false
  #isClosed = false
  #retries = 0

  constructor(primary: Primary, keys: IdempotencyKeys, { limits, onBatch }: Options = {}) {
    this.#primary = primary
    this.#keys = keys
    this.#limits = { ...LIMITS, ...limits }
    this.#onBatch = onBatch
  }

  /** Rows that wait to be written. */
  get waiting(): number {
    return this.#waiting.rows
  }

  /** Transactions that were run again: behind ids that were taken, or each write alone. */
  get retries(): number {
    return this.#retries
  }

  /** Resolves with what the operation gives once that is durable, or rejects and nothing was changed. */
  run<T>(operation: Operation): Promise<T> {
    return this.#enqueue({ operation }, rowsOf(operation))
  }

  /** Runs a transaction of its own between two others, however long it takes. */
  alone<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#enqueue({ work }, 1)
  }

  /** Turns away what still waits. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting.takeAll()) reject(new DatabaseUnavailable('closing'))
  }

  #enqueue<T>(what: { operation: Operation } | { work: Work['work'] }, rows: number): Promise<T> {
    if (this.#isClosed) return Promise.reject(new DatabaseUnavailable('closing'))
    if (this.waiting + rows > this.#limits.waiting) return Promise.reject(new TooManyWrites())
    return new Promise<T>((resolve, reject) => {
      const deadline = performance.now() + this.#limits.patienceMs
      this.#waiting.push({ ...what, rows, resolve, reject, deadline })
      if (this.#isRunning) return
      this.#isRunning = true
      // The check phase comes after all the requests that this turn of the event loop brings.
      setImmediate(() => this.#runAll())
    })
  }

  async #runAll(): Promise<void> {
    for (;;) {
      const next = this.#waiting.first
      if (!next) break
      if ('work' in next) await this.#runAlone(this.#waiting.take(1)[0] as Work)
      // The writes in front that may share a transaction.
      else await this.#commit(this.#waiting.take(this.#limits.batch, isAlone) as Write[])
    }
    this.#isRunning = false
  }

  async #runAlone({ work, resolve, reject }: Work): Promise<void> {
    const started = performance.now()
    const ended = (failed: boolean) => {
      const seconds = (performance.now() - started) / 1000
      this.#onBatch?.({ writes: 1, seconds, failed })
    }
    const turnAway = setInterval(() => this.#turnAwayLate(), LATE_EVERY_MS)
    try {
      const session = await this.#primary.session()
      const result = await work(session.writer)
      ended(false)
      resolve(result as never)
    } catch (error) {
      ended(true)
      reject(asDatabaseError(error))
    } finally {
      clearInterval(turnAway)
    }
  }

  /** Writes that wait behind something that takes long wait no longer than others. */
  #turnAwayLate(): void {
    const now = performance.now()
    const isLate = (each: Write | Work) => !('work' in each) && each.deadline <= now
    for (const { reject } of this.#waiting.takeWhere(isLate)) {
      reject(new DatabaseUnavailable(LATE))
    }
  }

  async #commit(batch: Write[]): Promise<void> {
    const soon = performance.now() + LEAST_MS
    const late = batch.filter(({ deadline }) => deadline <= soon)
    for (const { reject } of late) reject(new DatabaseUnavailable(LATE))
    const writes = batch.filter(({ deadline }) => deadline > soon)
    if (writes.length === 0) return
    const outcomes = await this.#attempt(writes)
    if (outcomes) {
      settle(writes, outcomes)
    } else {
      // One of them, or what they come to together, is not to be: which one shows when each is alone.
      this.#retries += writes.length
      for (const write of writes) await this.#commit([write])
    }
  }

  /**
   * Runs writes in one transaction.
   *
   * @returns what became of each; undefined if what failed would fail again, and they are not alone
   */
  async #attempt(writes: Write[]): Promise<Outcome[] | undefined> {
    const started = performance.now()
    const deadline = Math.min(...writes.map((write) => write.deadline))
    const operations = writes.map(({ operation }) => operation)
    let result = await this.#transact(operations, deadline)
    if ('error' in result && isIdTaken(result.error)) {
      const { writer } = await this.#primary.session()
      await skipTakenIds(writer).catch(() => {})
      this.#retries++
      result = await this.#transact(operations, deadline)
    }
    const seconds = (performance.now() - started) / 1000
    this.#onBatch?.({ writes: writes.length, seconds, failed: 'error' in result })
    if (!('error' in result)) return result
    return isMomentary(result.error) || writes.length === 1 ? writes.map(() => result) : undefined
  }

  async #transact(
    operations: Operation[],
    deadline: number,
  ): Promise<Outcome[] | { error: unknown }> {
    const left = () => deadline - performance.now()
    let session: Session
    try {
      session = await this.#primary.session(left())
    } catch (error) {
      return { error }
    }
    const batch = new Batch(session.writer, operations, this.#keys)
    let done: Awaited<ReturnType<Batch['run']>>
    try {
      // Who gives up a lock in time keeps its connection.
      const lockMs = Math.min(LOCK_TIMEOUT_MS, left() / 2)
      done = await within(left(), batch.run(lockMs), LATE)
    } catch (error) {
      await end(session, batch, error)
      // Too late to be told from one that was done.
      const isLate = batch.isCommitting && !(error instanceof DatabaseError)
      const isTold = error instanceof OutcomeUnknown
      return { error: isLate && !isTold ? new OutcomeUnknown(LATE) : asDatabaseError(error) }
    }
    try {
      const proof = done.isProven ? undefined : session.proof.proven()
      if (proof) await within(left(), proof, 'it is not sure who is primary')
      return done.outcomes
    } catch (error) {
      return { error: asDatabaseError(error) }
    }
  }
}

const LATE = 'no answer in time'

const isAlone = (waiting: Write | Work) => 'work' in waiting

/** Sees to it that nothing happens later of a transaction that has failed, and that another can begin. */
async function end(session: Session, batch: Batch, error: unknown): Promise<void> {
  if (isLeaving(error) || (error as Error).message.includes(LATE)) {
    session.lose(new ConnectionLost(reasonOf(error)))
  } else if (!session.writer.isLost) {
    await batch.undo().catch((reason) => session.lose(reason))
  }
}

/** Whether the same may be possible the next time. */
function isMomentary(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 503
}

function settle(writes: Write[], outcomes: Outcome[]): void {
  for (const [i, write] of writes.entries()) {
    const outcome = outcomes[i] as Outcome
    if ('error' in outcome) write.reject(outcome.error)
    else write.resolve(outcome.value as never)
  }
}
