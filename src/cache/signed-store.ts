import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ByteStore } from './byte-store.js'

const SIGNATURE_BYTES = 32

/**
 * A store in which somebody else may write: what this service keeps there is signed (HMAC-SHA256, RFC
 * 2104), and whatever else is there is nothing. A signature is for one key, so an entry is worth
 * nothing under another one; and it says nothing of time: that is what versions are for.
 *
 * Only values are signed. Counts are what the store says, and so is how long a value is kept.
 */
export class SignedStore implements ByteStore {
  readonly status = 'ready'
  /** How many entries were there that nobody who knows the secret has written. */
  readonly stats = { forged: 0 }
  readonly #store: ByteStore
  readonly #secret: Buffer
  readonly #onForged: (key: string) => void
  #isAnnounced = false

  /** @param onForged told of a forged entry, and then of no other until a good one was read */
  constructor(store: ByteStore, secret: Buffer, onForged: (key: string) => void = () => {}) {
    this.#store = store
    this.#secret = secret
    this.#onForged = onForged
  }

  async getBuffer(key: string): Promise<Buffer | null> {
    const stored = await this.#store.getBuffer(key)
    if (stored === null) return null
    const value = stored.subarray(SIGNATURE_BYTES)
    if (this.#isOurs(key, value, stored.subarray(0, SIGNATURE_BYTES))) {
      this.#isAnnounced = false
      return value
    }
    this.stats.forged++
    if (!this.#isAnnounced) this.#onForged(key)
    this.#isAnnounced = true
    return null
  }

  pttl(key: string): Promise<number> {
    return this.#store.pttl(key)
  }

  set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<unknown> {
    return this.#store.set(key, Buffer.concat([this.#sign(key, value), value]), unit, ttl)
  }

  increment(key: string, window: number): Promise<[count: number, left: number]> {
    return this.#store.increment(key, window)
  }

  unlink(...keys: string[]): Promise<number> {
    return this.#store.unlink(...keys)
  }

  #isOurs(key: string, value: Buffer, signature: Buffer): boolean {
    const expected = this.#sign(key, value)
    // In constant time: how far a guess is right must not be told by how long its refusal takes.
    return signature.length === expected.length && timingSafeEqual(signature, expected)
  }

  /** A key has no line break, so no key and value read like another key and value. */
  #sign(key: string, value: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(`${key}\n`).update(value).digest()
  }
}
