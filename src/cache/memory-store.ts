import { LRUCache } from 'lru-cache'
import type { ByteStore } from './byte-store.js'

const MAX_BYTES = 64 * 1024 * 1024

/** A bounded store in this process, which serves when no Redis is configured. */
export class MemoryStore implements ByteStore {
  readonly status = 'ready'
  readonly #values = new LRUCache<string, Buffer>({
    maxSize: MAX_BYTES,
    sizeCalculation: (value, key) => value.length + key.length + 1,
    ttl: 1, // each value states its own
  })

  async getBuffer(key: string): Promise<Buffer | null> {
    return this.#values.get(key) ?? null
  }

  async pttl(key: string): Promise<number> {
    return this.#values.has(key) ? Math.ceil(this.#values.getRemainingTTL(key)) : -2
  }

  async set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<'OK'> {
    this.#values.set(key, value, { ttl: unit === 'EX' ? ttl * 1000 : ttl })
    return 'OK'
  }

  async increment(key: string, window: number): Promise<[count: number, left: number]> {
    const count = Number(this.#values.get(key) ?? 0) + 1
    // What is left is not said anew each time: the cache's clock is late within a turn of the event
    // loop, so that a window which many requests fall into would never end.
    this.#values.set(key, Buffer.from(`${count}`), { ttl: window, noUpdateTTL: true })
    return [count, Math.min(window, Math.ceil(this.#values.getRemainingTTL(key)))]
  }

  async unlink(...keys: string[]): Promise<number> {
    return keys.filter((key) => this.#values.delete(key)).length
  }
}
