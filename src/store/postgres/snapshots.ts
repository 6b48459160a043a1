import { DatabaseError } from 'pg'
import { DatabaseUnavailable, TooManySnapshots } from '../errors.js'
import type { RowSource } from '../json-array-stream.js'
import { Connection, reasonOf } from './connection.js'
import { asDatabaseError, ConnectionLost } from './errors.js'
import type { Primary } from './primary.js'
import { READING, type Session } from './session.js'

export const LIMITS = {
  /** Snapshots open at once; each has a connection of its own. */
  open: 16,
  /** Those of them that lists may have, whose clients may read slowly: fills find the others free. */
  lists: 12,
  /** Connections that are kept open for the next snapshot. */
  idle: 4,
  /** How long one may be open, in milliseconds: until then nothing that it may see is cleaned up. */
  lifeMs: 300_000,
}

/** How long a connection may take: less than a request waits, in milliseconds. */
const CONNECT_MS = 1500

/** A query, with its parameters. */
export interface Query {
  text: string
  values: unknown[]
}

/** What a query gives at one moment: the first row of another one, and its rows as they are wanted. */
export interface Snapshot {
  first: Record<string, unknown> | undefined
  rows: RowSource
}

/** Asks a snapshot; `name` is of a statement that is prepared once. */
export type Ask = <Row>(text: string, values: unknown[], name?: string) => Promise<Row[]>

/** A connection for one snapshot at a time. */
class Reading {
  readonly session: Session
  readonly connection: Connection
  /** Called when the connection is lost: of the snapshots before nothing stays with it. */
  onLost: (reason: string) => void = () => {}

  constructor(session: Session, connection: Connection) {
    this.session = session
    this.connection = connection
    connection.lost.then(({ message }) => this.onLost(message))
  }
}

/**
 * Gives snapshots: a transaction that sees the database as it was at its first statement, on a connection
 * of its own, with a cursor for rows that may be many.
 */
export class Snapshots {
  readonly #primary: Primary
  readonly #limits: typeof LIMITS
  #idle: Reading[] = []
  #open = 0
  #lists = 0
  #isClosed = false

  constructor(primary: Primary, limits: Partial<typeof LIMITS> = {}) {
    this.#primary = primary
    this.#limits = { ...LIMITS, ...limits }
  }

  get stats() {
    return { open: this.#open, idle: this.#idle.length, limit: this.#limits.open }
  }

  /**
   * @param use `list`: a client decides how fast it is read; `fill`: the service reads it at once
   * @param firstly a query of one row, or none
   * @param deadline until when the first rows may come, in milliseconds of `performance.now()`
   * @throws {TooManySnapshots} and {DatabaseUnavailable}
   */
  open(
    use: 'list' | 'fill',
    query: Query,
    { firstly, deadline }: { firstly?: Query; deadline?: number | undefined } = {},
  ): Promise<Snapshot> {
    const begin = (reading: Reading, leave: () => void) =>
      this.#begin(reading, leave, query, firstly)
    return this.#take(use, deadline, begin)
  }

  /**
   * Gives a snapshot to work that asks it a few short queries, as one of `fill`.
   *
   * @throws what the work throws, {TooManySnapshots} and {DatabaseUnavailable}
   */
  within<T>(deadline: number | undefined, work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#take('fill', deadline, async (reading, leave) => {
      const { connection } = reading
      // Not waited for: what follows is sent at once, and fails if this does.
      const begun = Promise.all(BEGIN.map((text) => connection.query(text)))
      const [result] = await Promise.all([
        work(
          async (text, values, name) => (await connection.query<never>(text, values, name)).rows,
        ),
        begun,
      ])
      leave()
      this.#giveBack(reading, true)
      return result
    })
  }

  async #take<T>(
    use: 'list' | 'fill',
    deadline: number | undefined,
    begin: (reading: Reading, leave: () => void) => Promise<T>,
  ): Promise<T> {
    const isList = use === 'list'
    if (this.#open >= this.#limits.open || (isList && this.#lists >= this.#limits.lists)) {
      throw new TooManySnapshots()
    }
    this.#open++
    if (isList) this.#lists++
    let isOpen = true
    const leave = () => {
      if (!isOpen) return
      isOpen = false
      this.#open--
      if (isList) this.#lists--
    }
    let reading: Reading | undefined
    try {
      return await this.#primary.do(
        async (session) => {
          reading = await this.#connect(session)
          if (!isOpen) {
            reading.connection.destroy()
            throw new DatabaseUnavailable('no answer in time')
          }
          return begin(reading, leave)
        },
        deadline && deadline - performance.now(),
      )
    } catch (error) {
      reading?.connection.destroy()
      leave()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.end()))
  }

  async #connect(session: Session): Promise<Reading> {
    const stale = this.#idle.filter((each) => each.session.isLost)
    for (const { connection } of stale) connection.destroy()
    this.#idle = this.#idle.filter((each) => !each.session.isLost && !each.connection.isLost)
    const idle = this.#idle.pop()
    if (idle) return idle
    try {
      return new Reading(session, await Connection.open(session.host, READING, CONNECT_MS))
    } catch (error) {
      // One that was reached before is away for the moment.
      throw error instanceof DatabaseError ? error : new ConnectionLost(reasonOf(error))
    }
  }

  /** In one round trip. */
  async #begin(
    reading: Reading,
    leave: () => void,
    { text, values }: Query,
    firstly: Query | undefined,
  ): Promise<Snapshot> {
    const { connection } = reading
    const begun = BEGIN.map((text) => connection.query(text))
    const [first, , fetched] = await Promise.all([
      firstly && connection.query<Record<string, unknown>>(firstly.text, firstly.values),
      connection.query(`DECLARE found NO SCROLL CURSOR FOR ${text}`, values),
      connection.query(FETCH),
      ...begun,
    ])
    const rows = new Cursor(reading, fetched.rows, this.#limits.lifeMs, (isWhole) => {
      leave()
      this.#giveBack(reading, isWhole)
    })
    return { first: first?.rows[0], rows }
  }

  #giveBack(reading: Reading, isWhole: boolean): void {
    const { session, connection } = reading
    const isKept = isWhole && !session.isLost && this.#idle.length < this.#limits.idle
    if (isKept && !this.#isClosed) {
      this.#idle.push(reading)
      // Behind whatever is under way; and in front of what comes next.
      connection.query('ROLLBACK').catch(() => connection.destroy())
    } else {
      connection.end()
    }
  }
}

const BEGIN = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  // In front of the snapshot: one that is taken first, and then waits for a TRUNCATE to commit, shows a
  // table that is empty and never was.
  'LOCK TABLE employees IN ACCESS SHARE MODE',
]

/** What is fetched at once: a chunk of the answer. */
const CHUNK = 1000
const FETCH = `FETCH ${CHUNK} FROM found`

class Cursor implements RowSource {
  readonly signal: AbortSignal
  readonly #reading: Reading
  readonly #onClose: (isWhole: boolean) => void
  readonly #timer: NodeJS.Timeout
  #fetched: unknown[]
  #isLast: boolean
  #isWhole = true

  constructor(
    reading: Reading,
    fetched: unknown[],
    lifeMs: number,
    onClose: (isWhole: boolean) => void,
  ) {
    const abort = new AbortController()
    this.signal = abort.signal
    this.#reading = reading
    this.#onClose = onClose
    this.#fetched = fetched
    this.#isLast = fetched.length < CHUNK
    const giveUp = (reason: string) => abort.abort(new DatabaseUnavailable(reason))
    this.#timer = setTimeout(() => giveUp('a snapshot was open for too long'), lifeMs).unref()
    reading.onLost = (reason) => {
      // What was fetched to its end needs the connection no more.
      if (!this.#isLast) giveUp(reason)
    }
  }

  async next(limit: number): Promise<unknown[]> {
    try {
      return await this.#next(limit)
    } catch (error) {
      throw asDatabaseError(error)
    }
  }

  async #next(limit: number): Promise<unknown[]> {
    while (this.#fetched.length < limit && !this.#isLast) {
      this.#isWhole = false
      const { rows } = await this.#reading.connection.query(FETCH)
      this.#isWhole = true
      this.#isLast = rows.length < CHUNK
      this.#fetched = this.#fetched.length > 0 ? [...this.#fetched, ...rows] : rows
    }
    const next = this.#fetched.slice(0, limit)
    this.#fetched = this.#fetched.length > limit ? this.#fetched.slice(limit) : []
    return next
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#reading.onLost = () => {}
    this.#onClose(this.#isWhole)
  }
}
