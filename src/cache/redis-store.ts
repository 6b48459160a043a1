import type { ByteStore } from './byte-store.js'
import { CircuitBreaker, type OnChange } from './circuit-breaker.js'
import { connectRedis, type RedisConnection } from './redis-connection.js'
import type { RedisTls } from './redis-tls.js'
import { parseRedisUrl } from './redis-url.js'

/** A value is read up to here: somebody else may have put half a gigabyte under the key. */
const MAX_VALUE_BYTES = 17 * 1024 * 1024

/** Atomic; and a counter that was left without an end, by whomever, gets one: it would refuse for ever. */
const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }`
/** What ioredis says when a command gets no answer. */
const TIMEOUT = 'Command timed out'
const OUT_OF_STEP = new Error('a reply of Redis belongs to another command')

/**
 * A Redis that never holds up a start or a request. A command that gets no answer fails after 100 ms.
 * The first failure of any kind (no connection, no answer, no memory, a replica, a protocol error)
 * opens a circuit: commands then fail at once, and probes in the background find out when Redis takes
 * writes again, which closes it.
 *
 * Replies bear no mark of their command, so one that is lost on the way (in a proxy, say) shifts all
 * that follow. A value therefore begins with a line that repeats its key, and is taken for no other.
 */
export class RedisStore implements ByteStore {
  readonly status = 'ready'
  readonly #connection: RedisConnection
  readonly #circuit: CircuitBreaker

  /** @param url of any form that REDIS_URL may have */
  constructor(url: string, onChange: OnChange, tls: RedisTls = {}) {
    const target = parseRedisUrl(url)
    if (target === undefined) throw new Error('The URL of Redis has none of its forms')
    const connection = connectRedis(target, tls, {
      onReady: () => this.#circuit.probe(),
      onAway: (reason) => this.#circuit.open(reason),
      onDoubt: () => {
        if (this.#circuit.isClosed) this.#circuit.probe()
      },
    })
    const guarded = {
      async probe() {
        const replies = await connection.probe()
        if (replies.some((reply) => reply !== 'OK')) throw OUT_OF_STEP
      },
      isConnected: () => connection.isConnected(),
      reconnect: () => connection.reconnect(),
      isTimeout: (error: unknown) => (error as Error).message === TIMEOUT,
      isBroken: (error: unknown) => error === OUT_OF_STEP,
    }
    this.#connection = connection
    this.#circuit = new CircuitBreaker(guarded, onChange)
  }

  /** Whether it is used now. */
  get usable(): boolean {
    return this.#circuit.isClosed
  }

  /** How often it came and went, and commands of requests that failed. */
  get stats(): CircuitBreaker['stats'] {
    return this.#circuit.stats
  }

  getBuffer(key: string): Promise<Buffer | null> {
    return this.#circuit.run(async () => {
      const stored: unknown = await this.#commands.getrangeBuffer(key, 0, MAX_VALUE_BYTES)
      // Of a key that is not there GETRANGE gives nothing, and no value of ours is that short.
      if (Buffer.isBuffer(stored) && stored.length === 0) return null
      const head = headOf(key)
      if (!Buffer.isBuffer(stored) || !stored.subarray(0, head.length).equals(head)) {
        throw OUT_OF_STEP
      }
      return stored.length > MAX_VALUE_BYTES ? null : stored.subarray(head.length)
    })
  }

  pttl(key: string): Promise<number> {
    return this.#circuit.run(async () => {
      const left: unknown = await this.#commands.pttl(key)
      if (typeof left !== 'number') throw OUT_OF_STEP
      return left
    })
  }

  set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<unknown> {
    const milliseconds = unit === 'EX' ? ttl * 1000 : ttl
    const stored = Buffer.concat([headOf(key), value])
    return this.#circuit.run(() => this.#commands.set(key, stored, 'PX', milliseconds))
  }

  increment(key: string, window: number): Promise<[count: number, left: number]> {
    return this.#circuit.run(async () => {
      const reply = await this.#commands.eval(INCREMENT, 1, key, window)
      if (!Array.isArray(reply) || reply.length !== 2) throw OUT_OF_STEP
      return reply as [number, number]
    })
  }

  unlink(...keys: string[]): Promise<number> {
    // Each by itself: in a Cluster they are of several slots.
    return this.#circuit.run(async () => {
      const unlinked = await Promise.all(keys.map((key) => this.#commands.unlink(key)))
      return unlinked.reduce((sum, count) => sum + count, 0)
    })
  }

  disconnect(): void {
    this.#circuit.end()
    this.#connection.disconnect()
  }

  get #commands() {
    return this.#connection.commands
  }
}

function headOf(key: string): Buffer {
  return Buffer.from(`${key}\n`)
}
