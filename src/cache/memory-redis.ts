import { LRUCache } from 'lru-cache'

const MAX_BYTES = 64 * 1024 * 1024

/**
 * The commands of Redis that the cache uses, on a bounded store in this process: what serves when no
 * Redis is configured. Replies are those of ioredis.
 */
export class MemoryRedis {
  readonly status = 'ready'
  readonly #values = new LRUCache<string, Buffer>({
    maxSize: MAX_BYTES,
    sizeCalculation: (value, key) => value.length + key.length + 1,
    ttl: 1, // each value states its own
  })

  async getBuffer(key: string): Promise<Buffer | null> {
    return this.#values.get(key) ?? null
  }

  /** Milliseconds that the key still has to live; -2: there is no such key. */
  async pttl(key: string): Promise<number> {
    return this.#values.has(key) ? Math.ceil(this.#values.getRemainingTTL(key)) : -2
  }

  async set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<'OK'> {
    this.#values.set(key, value, { ttl: unit === 'EX' ? ttl * 1000 : ttl })
    return 'OK'
  }

  async unlink(...keys: string[]): Promise<number> {
    return keys.filter((key) => this.#values.delete(key)).length
  }

  async quit(): Promise<'OK'> {
    this.#values.clear()
    return 'OK'
  }
}
