import { setTimeout as delay } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { TooManySnapshots } from '../errors.js'
import type { RowSource } from '../json-array-stream.js'
import { attempt } from './errors.js'
import { MemoryCopies } from './memory-copies.js'

/** How long a statement may stand still in SQLite, and the event loop with it. */
const BUSY_TIMEOUT_MS = 100

export const LIMITS = {
  /** Snapshots open at once. */
  open: 64,
  /** Those of them that lists may have, whose clients may read slowly: fills find the others free. */
  lists: 48,
  /** Connections that are kept open for the next snapshot. */
  idle: 4,
  /** How long one may be open, in milliseconds: until then the log that it reads from cannot begin anew. */
  lifeMs: 300_000,
}

type Query = (sql: string, ...parameters: unknown[]) => IterableIterator<unknown>

/** A database as it is at one moment, on a connection of its own. */
export interface Snapshot {
  /** The first row of a query. */
  first<Row>(sql: string, ...parameters: unknown[]): Row | undefined
  /** All rows of a query that has few. */
  all<Row>(sql: string, ...parameters: unknown[]): Row[]
  /**
   * The rows of a query, which end the snapshot. They must be given up when it was open for too long, or
   * the log has grown too large.
   */
  rows(sql: string, ...parameters: unknown[]): RowSource
  close(): void
}

interface Reader {
  client: Sqlite.Database
  statements: Map<string, Sqlite.Statement>
}

interface Open {
  isList: boolean
  since: number
  abort: AbortController
}

/**
 * Gives snapshots of a SQLite database: in WAL mode a read transaction on another connection sees the
 * database as it was at its first statement, while writers go on.
 */
export class Snapshots {
  readonly #database: Sqlite.Database
  readonly #limits: typeof LIMITS
  readonly #idle: Reader[] = []
  readonly #open = new Set<Open>()
  readonly #copies: MemoryCopies | undefined
  #held: Promise<void> | undefined
  #emptied = () => {}

  constructor(database: Sqlite.Database, limits: Partial<typeof LIMITS> = {}) {
    this.#database = database
    this.#limits = { ...LIMITS, ...limits }
    // No second connection can see a database in memory: a copy of it is the snapshot.
    if (database.memory) this.#copies = new MemoryCopies(database)
  }

  /** Connections in use and kept for the next snapshot, and how many may be in use. */
  get stats() {
    const idle = this.#copies?.idle ?? this.#idle.length
    return { open: this.#open.size, idle, limit: this.#limits.open }
  }

  /**
   * @param use `list`: a client decides how fast it is read; `fill`: the service reads it at once
   * @throws {TooManySnapshots} and {DatabaseUnavailable}
   */
  async open(use: 'list' | 'fill'): Promise<Snapshot> {
    while (this.#held) await this.#held
    const isList = use === 'list'
    const lists = [...this.#open].filter((each) => each.isList).length
    if (this.#open.size >= this.#limits.open || (isList && lists >= this.#limits.lists)) {
      throw new TooManySnapshots()
    }
    const [query, release] = attempt(() => this.#copies?.open() ?? this.#read())
    const open: Open = { isList, since: performance.now(), abort: new AbortController() }
    this.#open.add(open)
    const timer = setTimeout(
      () => open.abort.abort(new Error('a snapshot was open for too long')),
      this.#limits.lifeMs,
    ).unref()
    const close = () => {
      clearTimeout(timer)
      this.#open.delete(open)
      try {
        release()
      } finally {
        if (this.#open.size === 0) this.#emptied()
      }
    }
    return {
      first<Row>(sql: string, ...parameters: unknown[]) {
        const [row] = query(sql, ...parameters)
        return row as Row | undefined
      },
      all<Row>(sql: string, ...parameters: unknown[]) {
        return [...query(sql, ...parameters)] as Row[]
      },
      rows: (sql, ...parameters) => rowsOf(query(sql, ...parameters), open.abort.signal, close),
      close,
    }
  }

  /**
   * Opens no further snapshot, and lets who wants one wait, until none is open and `work` was done, or
   * until that has taken too long.
   */
  async whenNoneIsOpen(work: () => void, patienceMs: number): Promise<void> {
    if (this.#held) return
    let release = () => {}
    this.#held = new Promise((resolve) => (release = resolve))
    try {
      if (await this.#isEmptyWithin(patienceMs)) work()
    } finally {
      this.#held = undefined
      release()
    }
  }

  async #isEmptyWithin(ms: number): Promise<boolean> {
    if (this.#open.size === 0) return true
    const emptied = new Promise<true>((resolve) => {
      this.#emptied = () => resolve(true)
    })
    return Promise.race([emptied, delay(ms, false, { ref: false })])
  }

  /** Gives up those that were open for so long. */
  revoke(olderThanMs: number, reason: string): void {
    const latest = performance.now() - olderThanMs
    for (const { since, abort } of this.#open) if (since <= latest) abort.abort(new Error(reason))
  }

  close(): void {
    for (const { client } of this.#idle.splice(0)) client.close()
    this.#copies?.close()
  }

  #read(): [query: Query, release: () => void] {
    const reader = this.#idle.pop() ?? this.#connect()
    try {
      reader.client.exec('BEGIN')
    } catch (error) {
      reader.client.close()
      throw error
    }
    return [
      (sql, ...parameters) => prepared(reader, sql).iterate(...parameters),
      () => {
        // SQLite itself ends a transaction that meets an I/O error.
        if (reader.client.inTransaction) reader.client.exec('COMMIT')
        if (this.#idle.length < this.#limits.idle && this.#database.open) this.#idle.push(reader)
        else reader.client.close()
      },
    ]
  }

  #connect(): Reader {
    const options = { readonly: true, timeout: BUSY_TIMEOUT_MS }
    return { client: new Sqlite(this.#database.name, options), statements: new Map() }
  }
}

/** Rows that SQLite steps to as they are wanted. */
function rowsOf(
  rows: IterableIterator<unknown>,
  signal: AbortSignal,
  close: () => void,
): RowSource {
  return {
    signal,
    next(limit) {
      const next: unknown[] = []
      while (next.length < limit) {
        const row = rows.next()
        if (row.done) break
        next.push(row.value)
      }
      return next
    },
    close() {
      try {
        rows.return?.()
      } finally {
        close()
      }
    },
  }
}

function prepared(reader: Reader, sql: string): Sqlite.Statement {
  let statement = reader.statements.get(sql)
  if (!statement) {
    statement = reader.client.prepare(sql)
    reader.statements.set(sql, statement)
  }
  return statement
}
