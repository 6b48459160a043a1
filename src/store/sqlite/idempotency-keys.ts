import { hash } from 'node:crypto'
import createError from '@fastify/error'
import type Sqlite from 'better-sqlite3'
import type { Employee, IdempotencyScope, NewEmployee } from '../store.js'

/** Keys that go in one transaction: bounds how long the event loop stands still for it. */
const SWEPT_AT_ONCE = 100

const KeyReused = createError(
  'IDEMPOTENCY_KEY_REUSED',
  'Idempotency-Key: a key stands for one request, and this one was sent with another body less than 24 hours ago; send a new key. Nothing was changed',
  422,
)

const OLD = 'created_at <= unixepoch() - 24 * 60 * 60'

/** The keys of the last 24 hours (draft-ietf-httpapi-idempotency-key-header-07). */
export class IdempotencyKeys {
  readonly #statements: Record<'find' | 'keep' | 'hasOld' | 'deleteOld', Sqlite.Statement>

  constructor(client: Sqlite.Database) {
    this.#statements = {
      find: client.prepare(
        `SELECT body_hash AS hash, employee_id AS id FROM idempotency_keys
         WHERE client = ? AND key = ? AND NOT ${OLD}`,
      ),
      // An old key that was not swept yet is replaced.
      keep: client.prepare(
        'INSERT OR REPLACE INTO idempotency_keys (client, key, body_hash, employee_id) VALUES (?, ?, ?, ?)',
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
   * What `insert` returns for `employee`, or returned when the key was new. It must run inside a
   * transaction, which keeps the employee and the key, or neither.
   *
   * @throws {KeyReused}
   */
  once({ client, key }: IdempotencyScope, employee: NewEmployee, insert: () => Employee): Employee {
    const bodyHash = hashOf(employee)
    const known = this.#statements.find.get(client, key) as { hash: Buffer; id: number } | undefined
    if (!known) {
      const created = insert()
      this.#statements.keep.run(client, key, bodyHash, created.id)
      return created
    }
    if (!bodyHash.equals(known.hash)) throw new KeyReused()
    return { id: known.id, ...employee }
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

/** Of the fields, not of the bytes: the order of a body's fields and its spaces mean nothing. */
function hashOf({ name, salary, department }: NewEmployee): Buffer {
  return hash('sha256', JSON.stringify([name, salary, department]), 'buffer')
}
