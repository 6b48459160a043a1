import type Sqlite from 'better-sqlite3'
import { KeyReused, TooManyKeys } from '../errors.js'
import { bodyDigest, KEYS_PER_CLIENT, keyHash } from '../idempotency-digests.js'
import type { KeyedRequest } from '../store.js'
import { secretFor } from './secrets.js'

/** Keys that go in one transaction: bounds how long the event loop stands still for it. */
const SWEPT_AT_ONCE = 100

const DAY = '24 * 60 * 60'
const OLD = `created_at <= unixepoch() - ${DAY}`

interface Known {
  key: Buffer | string
  hash: Buffer
  id: number
}
interface Ends {
  oldest: number
  newest: number
  /** Until the oldest one is past its time, in seconds. */
  left: number
}

/** The keys of the last 24 hours (draft-ietf-httpapi-idempotency-key-header-07). */
export class IdempotencyKeys {
  readonly #secret: Buffer
  readonly #quota: number
  readonly #statements: Record<
    'find' | 'ends' | 'forget' | 'keep' | 'hasOld' | 'deleteOld',
    Sqlite.Statement
  >

  /** @param quota keys that a client may have */
  constructor(client: Sqlite.Database, quota = KEYS_PER_CLIENT) {
    this.#secret = secretFor(client, 'idempotency_keys')
    this.#quota = quota
    this.#statements = {
      // By hash, or by the key itself: so a release before this one keeps it, which may still run. A
      // blob comes behind text.
      find: client.prepare(
        `SELECT key, body_hash AS hash, employee_id AS id FROM idempotency_keys
         WHERE client = ? AND key IN (?, ?) AND NOT ${OLD} ORDER BY key DESC LIMIT 1`,
      ),
      ends: client.prepare(
        `SELECT number AS oldest, created_at + ${DAY} - unixepoch() AS left,
           (SELECT max(number) FROM idempotency_keys WHERE client = ?) AS newest
         FROM idempotency_keys WHERE client = ? AND number IS NOT NULL ORDER BY number LIMIT 1`,
      ),
      forget: client.prepare('DELETE FROM idempotency_keys WHERE client = ? AND number = ?'),
      // An old key that was not swept yet is replaced.
      keep: client.prepare(
        `INSERT OR REPLACE INTO idempotency_keys (client, key, body_hash, employee_id, number)
         VALUES (?, ?, ?, ?, ?)`,
      ),
      hasOld: client.prepare(`SELECT EXISTS (SELECT 1 FROM idempotency_keys WHERE ${OLD})`).pluck(),
      deleteOld: client.prepare(
        `DELETE FROM idempotency_keys WHERE (client, key) IN (
           SELECT client, key FROM idempotency_keys WHERE ${OLD} ORDER BY created_at LIMIT ?
         )`,
      ),
    }
  }

  /**
   * The first id that `insert` returns for a request, or returned when its key was new. It must run inside a
   * transaction, which keeps the employees and the key, or neither.
   *
   * @throws {KeyReused}
   * @throws {TooManyKeys} with `retryAfter`, in seconds
   */
  once({ client, key, body }: KeyedRequest, insert: () => number): number {
    const hash = keyHash(key)
    const digest = bodyDigest(this.#secret, key, body)
    const known = this.#statements.find.get(client, hash, key) as Known | undefined
    if (!known) {
      const number = this.#makeRoom(client)
      const id = insert()
      this.#statements.keep.run(client, hash, digest, id, number)
      return id
    }
    const expected = typeof known.key === 'string' ? body : digest
    if (!expected.equals(known.hash)) throw new KeyReused()
    return known.id
  }

  /**
   * The number of a client's next key. Who has as many as it may loses the oldest for it, if that is
   * past its time and was not swept yet.
   */
  #makeRoom(client: string): number {
    const ends = this.#statements.ends.get(client, client) as Ends | undefined
    if (!ends) return 1
    const { oldest, newest, left } = ends
    if (newest - oldest + 1 >= this.#quota) {
      if (left > 0) {
        const quota = this.#quota.toLocaleString('en-US')
        throw Object.assign(new TooManyKeys(quota), { retryAfter: left })
      }
      this.#statements.forget.run(client, oldest)
    }
    return newest + 1
  }

  /** Whether there are keys past their time: one look into an index. */
  hasOld(): boolean {
    return this.#statements.hasOld.get() === 1
  }

  /** Deletes the oldest of them, a few. */
  deleteOld(): void {
    this.#statements.deleteOld.run(SWEPT_AT_ONCE)
  }
}
