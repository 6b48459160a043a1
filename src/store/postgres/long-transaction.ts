import { DatabaseError, type QueryResult } from 'pg'
import { patiently } from '../patiently.js'
import { commit } from './commit.js'
import { Connection } from './connection.js'
import { CopyIn } from './copy-in.js'
import { WRITERS_LOCK } from './dialect.js'
import { asDatabaseError, OutcomeUnknown } from './errors.js'
import { explained } from './explained.js'
import type { Host } from './hosts.js'
import type { Primary } from './primary.js'
import { IDLE_IN_TRANSACTION_MS, LOCK_TIMEOUT_MS } from './session.js'
import { assertDurable } from './suitable.js'

const SETTINGS = "SET work_mem = '64MB'"
/** Else a statement of a process that is gone runs to its end, and keeps the writers' lock. */
const NOTICE_THE_END = "SET client_connection_check_interval = '500ms'"

/**
 * One transaction of a tool that may take long, with what comes before it, on a connection of its own to the
 * primary. An interrupt ends the connection, and so all that was not committed.
 */
export class LongTransaction {
  readonly #connection: Connection
  readonly #host: Host
  readonly #interrupt: AbortSignal | undefined
  readonly #stop: () => void

  private constructor(connection: Connection, host: Host, interrupt: AbortSignal | undefined) {
    this.#connection = connection
    this.#host = host
    this.#interrupt = interrupt
    this.#stop = () => connection.destroy()
    interrupt?.addEventListener('abort', this.#stop)
  }

  /** @throws {DatabaseUnavailable} */
  static async open(primary: Primary, interrupt?: AbortSignal): Promise<LongTransaction> {
    interrupt?.throwIfAborted()
    const { host } = await primary.session()
    const connection = await Connection.open(host, {
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
      isPlain: true,
    })
    const transaction = new LongTransaction(connection, host, interrupt)
    try {
      await assertDurable(connection)
      await connection.query(SETTINGS)
      // Not every system can.
      await connection.query(NOTICE_THE_END).catch(() => {})
      return transaction
    } catch (error) {
      await transaction.close()
      throw transaction.#told(error)
    }
  }

  async query<Row extends object>(text: string, values?: unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.#connection.query<Row>(text, values)
    } catch (error) {
      throw this.#told(error)
    }
  }

  copyInto(target: string): CopyIn {
    return new CopyIn(this.#connection, target, (error) => this.#told(error))
  }

  /** Begins, with the writers' lock. It waits for those who have it, for up to a minute. */
  async begin(): Promise<void> {
    const isBegun = await patiently(() => this.#begin(), this.#interrupt)
    if (!isBegun) this.#interrupt?.throwIfAborted()
  }

  async #begin(): Promise<void> {
    await this.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    try {
      await this.query(`SELECT pg_advisory_xact_lock(${WRITERS_LOCK})`)
    } catch (error) {
      await this.query('ROLLBACK')
      throw error
    }
  }

  /** @throws an error that says so when nobody knows whether it was done */
  async commit(): Promise<void> {
    this.#interrupt?.throwIfAborted()
    // Whoever interrupts it now is too late to be told that nothing was done.
    this.#interrupt?.removeEventListener('abort', this.#stop)
    try {
      await commit(this.#connection, [], true)
    } catch (error) {
      throw error instanceof OutcomeUnknown ? unknown(error) : this.#told(error)
    }
  }

  async close(): Promise<void> {
    this.#interrupt?.removeEventListener('abort', this.#stop)
    await this.#connection.end()
  }

  /** What fails for the moment is a 503; of a right that is missing a line says so. */
  #told(error: unknown): unknown {
    const isRight = error instanceof DatabaseError && error.code === '42501'
    return isRight ? explained(error, this.#host) : asDatabaseError(error)
  }
}

/** For somebody who has no Idempotency-Key. */
function unknown(error: Error): Error {
  const reason = /\((.*)\)/.exec(error.message)?.[1]
  return new Error(
    `The database was lost while it kept this (${reason}): it was done, or it was not; look before you do it again`,
    { cause: error },
  )
}
