import { setImmediate } from 'node:timers/promises'
import type { Database as Client } from 'better-sqlite3'
import type {
  Ambiguous,
  Bulk,
  Changes,
  Key,
  LinedEmployee,
  Repeated,
  Some,
  Staging,
} from '../bulk.js'
import { patiently } from '../patiently.js'
import type { NewEmployee } from '../store.js'
import { bulkLoad, countEmployees } from './bulk-load.js'
import { BulkUpdate } from './bulk-update.js'
import { asDatabaseError } from './errors.js'

/** Rows between two turns of the event loop, in which a signal is heard. */
const TURN = 5000
/** Holds the pages that a batch changes: those that do not fit are written several times. */
const CACHE_KIB = 64 * 1024
/** More of the rows that repeat a key are counted, and not kept. */
const KEPT = 1000

/** What the tools do with a SQLite database, on which nobody else of this process begins anything meanwhile. */
export class SqliteBulk implements Bulk {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  async count(): Promise<number> {
    return countEmployees(this.#client)
  }

  load(rows: Iterable<NewEmployee>, interrupt?: AbortSignal): Promise<number> {
    return bulkLoad(this.#client, rows, interrupt)
  }

  /** One transaction would lock the service's writers out for all of it. */
  async append(): Promise<undefined> {
    this.#client.pragma(`cache_size = -${CACHE_KIB}`)
    return undefined
  }

  async update(key: Key, interrupt: AbortSignal): Promise<Staging> {
    return new SqliteStaging(new BulkUpdate(this.#client, key), interrupt)
  }
}

class SqliteStaging implements Staging {
  readonly #update: BulkUpdate
  readonly #interrupt: AbortSignal
  readonly #repeated: Some<Repeated> = { count: 0, first: [] }

  constructor(update: BulkUpdate, interrupt: AbortSignal) {
    this.#update = update
    this.#interrupt = interrupt
  }

  add(row: LinedEmployee): undefined {
    const earlier = told(() => this.#update.stage(row))
    if (earlier === undefined) return
    if (this.#repeated.count++ < KEPT) this.#repeated.first.push({ line: row.line, earlier })
  }

  async repeated(limit: number): Promise<Some<Repeated>> {
    const { count, first } = this.#repeated
    return { count, first: first.slice(0, limit) }
  }

  async begin(): Promise<void> {
    const isBegun = await patiently(() => told(() => this.#update.begin()), this.#interrupt)
    if (!isBegun) this.#interrupt.throwIfAborted()
  }

  async ambiguous(limit: number): Promise<Some<Ambiguous>> {
    return told(() => {
      const found: Some<Ambiguous> = { count: 0, first: [] }
      for (const row of this.#update.match()) {
        if (found.count++ < limit) found.first.push(row)
      }
      return found
    })
  }

  async write(onProgress: (rows: number) => void): Promise<Changes> {
    const changes = { created: 0, updated: 0, unchanged: 0 }
    let line: number | undefined = 0
    for (let done = 0; line !== undefined; done += TURN) {
      onProgress(done)
      const after: number = line
      line = told(() => this.#update.write(after, TURN, changes))
      await setImmediate()
      this.#interrupt.throwIfAborted()
    }
    return changes
  }

  async commit(): Promise<void> {
    told(() => this.#update.end(true))
  }

  async close(): Promise<void> {
    this.#update.end(false)
  }
}

function told<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asDatabaseError(error)
  }
}
