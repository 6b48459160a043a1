import { KeyReused, TooManyKeys } from '../errors.js'
import { bodyDigest, KEYS_PER_CLIENT, keyHash } from '../idempotency-digests.js'
import type { IdempotencyScope, KeyedRequest } from '../store.js'
import type { Statement } from './commit.js'
import type { Connection } from './connection.js'

const DAY = "interval '24 hours'"
/** Keys that go in one transaction. */
const SWEPT_AT_ONCE = 1000

export const FIND = `SELECT client, key, body_hash AS digest, employee_id AS id
  FROM idempotency_keys JOIN unnest($1::text[], $2::bytea[]) AS asked (client, key) USING (client, key)
  WHERE created_at > clock_timestamp() - ${DAY}`
export const ENDS = `SELECT client, first.number AS oldest, last.number AS newest,
    ceil(extract(epoch FROM first.created_at + ${DAY} - clock_timestamp()))::int AS left
  FROM unnest($1::text[]) AS asked (client)
  CROSS JOIN LATERAL (
    SELECT number, created_at FROM idempotency_keys AS each
    WHERE each.client = asked.client ORDER BY number LIMIT 1
  ) AS first
  CROSS JOIN LATERAL (
    SELECT number FROM idempotency_keys AS each
    WHERE each.client = asked.client ORDER BY number DESC LIMIT 1
  ) AS last`
export const FORGET = `DELETE FROM idempotency_keys
  WHERE (client, number) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))`
// An old key that was not swept yet is replaced.
const KEEP = `INSERT INTO idempotency_keys (client, key, body_hash, employee_id, number)
  SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[])
  ON CONFLICT (client, key) DO UPDATE SET body_hash = excluded.body_hash,
    employee_id = excluded.employee_id, created_at = excluded.created_at, number = excluded.number`
export const HAS_OLD = `SELECT 1 FROM idempotency_keys WHERE created_at <= now() - ${DAY} LIMIT 1`
// By now(), which an index can be asked for. Of several processes none waits for another.
export const SWEEP = `DELETE FROM idempotency_keys WHERE (client, key) IN (
    SELECT client, key FROM idempotency_keys WHERE created_at <= now() - ${DAY}
    ORDER BY created_at LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED
  )`

interface Known {
  client: string
  key: Buffer
  digest: Buffer
  id: number
}
interface Ends {
  client: string
  oldest: number
  newest: number
  /** Until the oldest one is past its time, in seconds. */
  left: number
}
interface Kept extends Known {
  number: number
}

/** What the database has of the keys of a batch, and of the clients that they are of. */
export interface KnownKeys {
  keys: Known[]
  ends: Ends[]
}

/** The keys of the last 24 hours (draft-ietf-httpapi-idempotency-key-header-07). */
export class IdempotencyKeys {
  readonly #secret: Buffer
  readonly #quota: number

  /** @param quota keys that a client may have */
  constructor(secret: Buffer, quota = KEYS_PER_CLIENT) {
    this.#secret = secret
    this.#quota = quota
  }

  /** Reads inside a transaction that has the writers' lock. */
  async find(
    connection: Pick<Connection, 'query'>,
    scopes: IdempotencyScope[],
  ): Promise<KnownKeys> {
    const clients = scopes.map(({ client }) => client)
    const keys = scopes.map(({ key }) => keyHash(key))
    const [found, ends] = await Promise.all([
      connection.query<Known>(FIND, [clients, keys], 'find keys'),
      connection.query<Ends>(ENDS, [[...new Set(clients)]], 'ends of keys'),
    ])
    return { keys: found.rows, ends: ends.rows }
  }

  changes(known: KnownKeys = { keys: [], ends: [] }): IdempotencyChanges {
    return new IdempotencyChanges(this.#secret, this.#quota, known)
  }

  /** Whether any are past their time: a look, and no transaction of writes. */
  async hasOld(connection: Connection): Promise<boolean> {
    return (await connection.query(HAS_OLD)).rows.length > 0
  }

  /** Deletes the oldest of those past their time, a few; says whether there were any. */
  async sweep(connection: Connection): Promise<boolean> {
    const { rowCount } = await connection.query(SWEEP)
    return rowCount !== 0
  }
}

/** What becomes of the keys in a batch. */
export class IdempotencyChanges {
  readonly #secret: Buffer
  readonly #quota: number
  readonly #known: Map<string, Known>
  readonly #ends: Map<string, Ends>
  readonly #kept: Kept[] = []
  readonly #forgotten: { client: string; number: number }[] = []

  constructor(secret: Buffer, quota: number, { keys, ends }: KnownKeys) {
    this.#secret = secret
    this.#quota = quota
    this.#known = new Map(keys.map((each) => [nameOf(each.client, each.key), each]))
    this.#ends = new Map(ends.map((each) => [each.client, each]))
  }

  /**
   * The first id that `insert` returns for a request, or returned when its key was new.
   *
   * @throws {KeyReused}
   * @throws {TooManyKeys} with `retryAfter`, in seconds
   */
  once({ client, key, body }: KeyedRequest, insert: () => number): number {
    const hash = keyHash(key)
    const digest = bodyDigest(this.#secret, key, body)
    const known = this.#known.get(nameOf(client, hash))
    if (known) {
      if (!known.digest.equals(digest)) throw new KeyReused()
      return known.id
    }
    const number = this.#makeRoom(client)
    const id = insert()
    const kept = { client, key: hash, digest, id, number }
    this.#known.set(nameOf(client, hash), kept)
    this.#kept.push(kept)
    return id
  }

  /** What is to be written. */
  statements(): Statement[] {
    const statements: Statement[] = []
    if (this.#forgotten.length > 0) {
      const clients = this.#forgotten.map(({ client }) => client)
      const numbers = this.#forgotten.map(({ number }) => number)
      statements.push([FORGET, [clients, numbers], 'forget keys'])
    }
    if (this.#kept.length > 0) {
      const of = (field: keyof Kept) => this.#kept.map((each) => each[field])
      const values = [of('client'), of('key'), of('digest'), of('id'), of('number')]
      statements.push([KEEP, values, 'keep keys'])
    }
    return statements
  }

  /**
   * The number of a client's next key. Who has as many as it may loses the oldest for it, if that is
   * past its time and was not swept yet.
   */
  #makeRoom(client: string): number {
    const ends = this.#ends.get(client)
    if (!ends) {
      this.#ends.set(client, { client, oldest: 1, newest: 1, left: 24 * 60 * 60 })
      return 1
    }
    if (ends.newest - ends.oldest + 1 >= this.#quota) {
      if (ends.left > 0) {
        const quota = this.#quota.toLocaleString('en-US')
        throw Object.assign(new TooManyKeys(quota), { retryAfter: ends.left })
      }
      this.#forgotten.push({ client, number: ends.oldest })
      ends.oldest++
    }
    return ++ends.newest
  }
}

/** A client's name may have any character; a hash has always as many. */
function nameOf(client: string, key: Buffer): string {
  return `${key.toString('base64')} ${client}`
}
