import { Redis } from 'ioredis'
import type { ByteStore } from './byte-store.js'
import { CircuitBreaker, type OnChange } from './circuit-breaker.js'

/** No request waits longer for Redis than this. */
const COMMAND_TIMEOUT_MS = 100
const MAX_RECONNECT_DELAY_MS = 2000
/** A value is read up to here: somebody else may have put half a gigabyte under the key. */
const MAX_VALUE_BYTES = 17 * 1024 * 1024

const PROBE_KEY = 'employees:probe'
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
  readonly #client: Redis
  readonly #circuit: CircuitBreaker

  constructor(url: string, onChange: OnChange) {
    const client = new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: MAX_RECONNECT_DELAY_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    })
    const guarded = {
      async probe() {
        const reply: unknown = await client.set(PROBE_KEY, '', 'PX', 1)
        if (reply !== 'OK') throw OUT_OF_STEP
      },
      isConnected: () => client.status === 'ready',
      reconnect: () => client.disconnect(true),
      isTimeout: (error: unknown) => (error as Error).message === TIMEOUT,
      isBroken: (error: unknown) => error === OUT_OF_STEP,
    }
    this.#client = client
    let reason = ''
    this.#circuit = new CircuitBreaker(guarded, (away) => {
      if (away === undefined) reason = ''
      onChange(away)
    })
    client.on('error', (error) => {
      reason = error.message
    })
    client.on('ready', () => this.#circuit.probe())
    client.on('close', () => this.#circuit.open(reason || 'the connection was closed'))
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
      const stored: unknown = await this.#client.getrangeBuffer(key, 0, MAX_VALUE_BYTES)
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
      const left: unknown = await this.#client.pttl(key)
      if (typeof left !== 'number') throw OUT_OF_STEP
      return left
    })
  }

  set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<unknown> {
    const milliseconds = unit === 'EX' ? ttl * 1000 : ttl
    const stored = Buffer.concat([headOf(key), value])
    return this.#circuit.run(() => this.#client.set(key, stored, 'PX', milliseconds))
  }

  increment(key: string, window: number): Promise<[count: number, left: number]> {
    return this.#circuit.run(async () => {
      const reply = await this.#client.eval(INCREMENT, 1, key, window)
      if (!Array.isArray(reply) || reply.length !== 2) throw OUT_OF_STEP
      return reply as [number, number]
    })
  }

  unlink(...keys: string[]): Promise<number> {
    return this.#circuit.run(() => this.#client.unlink(...keys))
  }

  disconnect(): void {
    this.#client.removeAllListeners('close')
    this.#circuit.end()
    this.#client.disconnect()
  }
}

function headOf(key: string): Buffer {
  return Buffer.from(`${key}\n`)
}
