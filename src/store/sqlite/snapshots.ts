import createError from '@fastify/error'
import Sqlite from 'better-sqlite3'

/** How long a statement may stand still in SQLite, and the event loop with it. */
const BUSY_TIMEOUT_MS = 100
/** Connections that are kept open for the next snapshot. */
const IDLE = 4
/** Snapshots open at once; each may belong to a client that reads slowly. */
const LIMIT = 64

export const TooManySnapshots = createError(
  'TOO_MANY_SNAPSHOTS',
  'Too many long answers are being read already; try again in a moment',
  503,
)

/** A database as it is at one moment, on a connection of its own. */
export interface Snapshot {
  /** The rows of a query, read one at a time. */
  rows(sql: string, ...parameters: unknown[]): IterableIterator<unknown>
  close(): void
}

interface Reader {
  client: Sqlite.Database
  statements: Map<string, Sqlite.Statement>
}

/**
 * Gives snapshots of a SQLite database: in WAL mode a read transaction on another connection sees the
 * database as it was at its first statement, while writers go on.
 */
export class Snapshots {
  readonly #database: Sqlite.Database
  readonly #idle: Reader[] = []
  #open = 0

  constructor(database: Sqlite.Database) {
    this.#database = database
  }

  /** Connections in use and kept for the next snapshot, and how many may be in use. */
  get stats() {
    return { open: this.#open, idle: this.#idle.length, limit: LIMIT }
  }

  /** @throws {TooManySnapshots} */
  open(): Snapshot {
    if (this.#open >= LIMIT) throw new TooManySnapshots()
    const reader = this.#idle.pop() ?? this.#connect()
    reader.client.exec('BEGIN')
    this.#open++
    return {
      rows: (sql, ...parameters) => prepared(reader, sql).iterate(...parameters),
      close: () => {
        this.#open--
        reader.client.exec('COMMIT')
        if (this.#idle.length < IDLE && this.#database.open && !this.#database.memory) {
          this.#idle.push(reader)
        } else {
          reader.client.close()
        }
      },
    }
  }

  close(): void {
    for (const { client } of this.#idle.splice(0)) client.close()
  }

  #connect(): Reader {
    // No second connection can see a database in memory: a copy of it is the snapshot.
    const client = this.#database.memory
      ? new Sqlite(this.#database.serialize())
      : new Sqlite(this.#database.name, { readonly: true, timeout: BUSY_TIMEOUT_MS })
    return { client, statements: new Map() }
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
