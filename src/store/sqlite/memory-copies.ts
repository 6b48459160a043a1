import createError from '@fastify/error'
import Sqlite from 'better-sqlite3'

/** What a database in memory may grow to: each copy takes as much. */
export const MAX_MEMORY_BYTES = 64 * 1024 * 1024
/** Copies of different moments at once. */
const MAX_COPIES = 4

const TooManyCopies = createError(
  'TOO_MANY_COPIES',
  'Too many moments of a database in memory are being read already; try again in a moment',
  503,
)

interface Copy {
  /** What the database had changed when it was copied. */
  changes: number
  client: Sqlite.Database
  users: number
}

/**
 * Snapshots of a database in memory: copies of it, shared by all who read the same state. Of its last
 * state one is kept.
 */
export class MemoryCopies {
  readonly #database: Sqlite.Database
  readonly #changes: Sqlite.Statement<[], number>
  readonly #copies = new Set<Copy>()

  constructor(database: Sqlite.Database) {
    this.#database = database
    this.#changes = database.prepare<[], number>('SELECT total_changes()').pluck()
  }

  /** Copies that nobody reads. */
  get idle(): number {
    return [...this.#copies].filter(({ users }) => users === 0).length
  }

  /** @throws {TooManyCopies} */
  open(): [rows: (sql: string, ...parameters: unknown[]) => IterableIterator<unknown>, () => void] {
    const copy = this.#current()
    copy.users++
    return [
      // Prepared anew: a statement can be read by one at a time.
      (sql, ...parameters) => copy.client.prepare(sql).iterate(...parameters),
      () => {
        copy.users--
        if (copy.changes !== this.#changes.get()) this.#drop(copy)
      },
    ]
  }

  close(): void {
    for (const { client } of this.#copies) client.close()
    this.#copies.clear()
  }

  #current(): Copy {
    const changes = this.#changes.get() ?? 0
    for (const copy of this.#copies) {
      if (copy.changes === changes) return copy
      this.#drop(copy)
    }
    if (this.#copies.size >= MAX_COPIES) throw new TooManyCopies()
    const copy = { changes, client: new Sqlite(this.#database.serialize()), users: 0 }
    this.#copies.add(copy)
    return copy
  }

  #drop(copy: Copy): void {
    if (copy.users > 0) return
    this.#copies.delete(copy)
    copy.client.close()
  }
}
