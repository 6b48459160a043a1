/**
 * The store that processes share: the part of a Redis client that is used here, with the replies of
 * ioredis. Any command may reject at any moment, and then nothing may depend on what became of it.
 */
export interface ByteStore {
  /** For @fastify/redis, which would let the boot wait for a client that is not. */
  readonly status: 'ready'
  getBuffer(key: string): Promise<Buffer | null>
  /** Milliseconds that the key still has to live; -2: there is no such key. */
  pttl(key: string): Promise<number>
  set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<unknown>
  /**
   * Counts one more in a window, which the first count opens and which lasts so many milliseconds.
   * Resolves to the count, and to what is left of the window.
   */
  increment(key: string, window: number): Promise<[count: number, left: number]>
  unlink(...keys: string[]): Promise<number>
}
