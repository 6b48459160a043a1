import Sqlite from 'better-sqlite3'
import { UnusableDatabase } from '../errors.js'
import { migrationFunctions } from '../idempotency-digests.js'
import type { KeptKey } from '../move.js'
import type { Employee } from '../store.js'
import { assertFile, explainedRead } from './existing.js'
import { known, pathOf } from './open.js'
import { secretFor } from './secrets.js'

// By their hashes alone, and by one number for each: an old release may have added keys as they are.
const KEYS = `SELECT client, hash AS key, digest, employee_id AS employeeId, created_at AS createdAt,
    row_number() OVER (PARTITION BY client ORDER BY created_at, number, hash) AS number
  FROM (
    SELECT client, key AS hash, body_hash AS digest, employee_id, created_at, number
    FROM idempotency_keys WHERE typeof(key) = 'blob'
    UNION ALL
    SELECT client, key_hash(key), body_digest(?, key, body_hash), employee_id, created_at, number
    FROM idempotency_keys AS kept WHERE typeof(key) = 'text' AND NOT EXISTS (
      SELECT 1 FROM idempotency_keys AS other
      WHERE other.client = kept.client AND other.key = key_hash(kept.key)
    )
  ) ORDER BY client, number`

// AUTOINCREMENT keeps the largest one that anybody ever had.
const LAST_ID = `SELECT max(last) FROM (
  SELECT seq AS last FROM sqlite_sequence WHERE name = 'employees' UNION ALL SELECT max(id) FROM employees
)`

/** A SQLite database that is read to be moved: one snapshot of it, in which nothing is written. */
export class MovedDatabase {
  readonly #client: Sqlite.Database
  /** Sees what others write meanwhile. */
  readonly #watcher: Sqlite.Database
  readonly #version: unknown
  /** What its idempotency keys are sealed with. */
  readonly secret: Buffer
  /** How many employees it has. */
  readonly count: number
  /** The largest id that anybody ever had. */
  readonly lastId: number

  private constructor(client: Sqlite.Database, watcher: Sqlite.Database) {
    this.#client = client
    this.#watcher = watcher
    this.#version = this.#watched()
    client.exec('BEGIN')
    assertRelease(client)
    for (const [name, run] of Object.entries(migrationFunctions)) {
      client.function(name, { deterministic: true }, run)
    }
    this.secret = secretFor(client, 'idempotency_keys')
    this.count = this.#value('SELECT count(*) FROM employees')
    this.lastId = this.#value(LAST_ID)
  }

  /** @throws {UnusableDatabase} in a line that names the URL */
  static open(url: string): MovedDatabase {
    const path = pathOf(url)
    assertFile(url, path)
    const clients: Sqlite.Database[] = []
    const open = () => {
      const client = new Sqlite(path, { readonly: true, fileMustExist: true })
      clients.push(client)
      return client
    }
    try {
      return new MovedDatabase(open(), open())
    } catch (error) {
      for (const client of clients) client.close()
      throw explainedRead(error, url)
    }
  }

  /** By ascending id. */
  employees(): Iterable<Employee> {
    return this.#client
      .prepare<[], Employee>('SELECT id, name, salary, department FROM employees ORDER BY id')
      .iterate()
  }

  /** By client and number. */
  keys(): Iterable<KeptKey> {
    return this.#client.prepare<[Buffer], KeptKey>(KEYS).iterate(this.secret)
  }

  /** Whether somebody has written since this was opened, which the snapshot does not see. */
  get isChanged(): boolean {
    return this.#watched() !== this.#version
  }

  close(): void {
    this.#client.close()
    this.#watcher.close()
  }

  #watched(): unknown {
    return this.#watcher.pragma('data_version', { simple: true })
  }

  #value(query: string): number {
    return (this.#client.prepare(query).pluck().get() ?? 0) as number
  }
}

function assertRelease(client: Sqlite.Database): void {
  const applied = client.prepare<[], string>('SELECT name FROM migrations').pluck().all()
  const own = known()
  const newer = applied.filter((name) => !own.includes(name)).sort()
  if (newer.length > 0) {
    throw new UnusableDatabase(
      `is of a newer release, by its migration ${newer.at(-1)}: move it with that release`,
    )
  }
  const missing = own.filter((name) => !applied.includes(name)).sort()
  if (missing.length > 0) {
    throw new UnusableDatabase(
      `is of an older release, without the migration ${missing[0]}: start this release over it once`,
    )
  }
}
