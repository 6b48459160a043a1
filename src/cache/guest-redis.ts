import { Redis } from 'ioredis'
import type { CacheRedis } from './cache-redis.js'

/** No request waits longer for Redis than this. */
const COMMAND_TIMEOUT_MS = 100
const PROBE_INTERVAL_MS = 500
const MAX_RECONNECT_DELAY_MS = 2000
/** Probes without an answer after which the connection is taken for dead, and made anew. */
const MAX_UNANSWERED = 3

const PROBE_KEY = 'employees:probe'
/** Atomic, so that no counter is ever left without an end. */
const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }`
/** What ioredis says when a command gets no answer. */
const TIMEOUT = 'Command timed out'
const AWAY = new Error('Redis is away')
const OUT_OF_STEP = new Error('a reply of Redis belongs to another command')

/** @param reason why Redis cannot be used; undefined: it can */
export type OnChange = (reason: string | undefined) => void

/**
 * A Redis that is a guest in the service: it never holds up a start or a request. A command that gets
 * no answer fails after 100 ms. The first failure of any kind (no connection, no answer, no memory, a
 * replica, a protocol error) opens a circuit: commands then fail at once, at no cost, and probes in
 * the background find out when Redis takes writes again, which closes it.
 *
 * Replies bear no mark of their command, so one that is lost on the way (in a proxy, say) shifts all
 * that follow. A value therefore begins with a line that repeats its key, and is taken for no other.
 */
export class GuestRedis implements CacheRedis {
  readonly status = 'ready'
  /** How often it came and went, and commands of requests that failed. */
  readonly figures = { here: 0, away: 0, timeouts: 0, errors: 0 }
  readonly #client: Redis
  readonly #onChange: OnChange
  #usable = false
  #announced: 'usable' | 'away' | undefined
  #probing: NodeJS.Timeout | boolean = false
  #unanswered = 0
  #reason = ''

  constructor(url: string, onChange: OnChange) {
    this.#onChange = onChange
    this.#client = new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: MAX_RECONNECT_DELAY_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    })
    this.#client.on('error', (error) => {
      this.#reason = error.message
    })
    this.#client.on('ready', () => this.#probe())
    this.#client.on('close', () => this.#away(this.#reason || 'the connection was closed'))
  }

  get usable(): boolean {
    return this.#usable
  }

  getBuffer(key: string): Promise<Buffer | null> {
    return this.#guarded(async () => {
      const stored: unknown = await this.#client.getBuffer(key)
      if (stored === null) return null
      const head = headOf(key)
      if (!Buffer.isBuffer(stored) || !stored.subarray(0, head.length).equals(head)) {
        throw OUT_OF_STEP
      }
      return stored.subarray(head.length)
    })
  }

  pttl(key: string): Promise<number> {
    return this.#guarded(async () => {
      const left: unknown = await this.#client.pttl(key)
      if (typeof left !== 'number') throw OUT_OF_STEP
      return left
    })
  }

  set(key: string, value: Buffer, unit: 'EX' | 'PX', ttl: number): Promise<unknown> {
    const milliseconds = unit === 'EX' ? ttl * 1000 : ttl
    const stored = Buffer.concat([headOf(key), value])
    return this.#guarded(() => this.#client.set(key, stored, 'PX', milliseconds))
  }

  increment(key: string, window: number): Promise<[count: number, left: number]> {
    return this.#guarded(async () => {
      const reply = await this.#client.eval(INCREMENT, 1, key, window)
      if (!Array.isArray(reply) || reply.length !== 2) throw OUT_OF_STEP
      return reply as [number, number]
    })
  }

  unlink(...keys: string[]): Promise<number> {
    return this.#guarded(() => this.#client.unlink(...keys))
  }

  disconnect(): void {
    this.#client.removeAllListeners('close')
    if (typeof this.#probing === 'object') clearTimeout(this.#probing)
    this.#probing = true
    this.#client.disconnect()
  }

  async #guarded<T>(command: () => Promise<T>): Promise<T> {
    if (!this.#usable) throw AWAY
    try {
      return await command()
    } catch (error) {
      // Not yet announced: the probe tells a Redis that is away from a moment's hiccup of ours.
      this.#usable = false
      this.figures[(error as Error).message === TIMEOUT ? 'timeouts' : 'errors']++
      if (error === OUT_OF_STEP) this.#client.disconnect(true)
      else this.#probe()
      throw error
    }
  }

  /** Tries a write; if it fails, tries again for as long as there is a connection. */
  async #probe(): Promise<void> {
    if (this.#probing === true) return
    if (typeof this.#probing === 'object') clearTimeout(this.#probing)
    this.#probing = true
    try {
      const reply: unknown = await this.#client.set(PROBE_KEY, '', 'PX', 1)
      if (reply !== 'OK') throw OUT_OF_STEP
      this.#probing = false
      this.#here()
    } catch (error) {
      this.#probing = false
      this.#away((error as Error).message)
      if (this.#client.status !== 'ready') return
      if (++this.#unanswered < MAX_UNANSWERED) {
        this.#probing = setTimeout(() => this.#probe(), PROBE_INTERVAL_MS).unref()
      } else {
        this.#unanswered = 0
        this.#client.disconnect(true)
      }
    }
  }

  #here(): void {
    this.#usable = true
    this.#unanswered = 0
    this.#reason = ''
    if (this.#announced === 'usable') return
    this.#announced = 'usable'
    this.figures.here++
    this.#onChange(undefined)
  }

  #away(reason: string): void {
    this.#usable = false
    if (this.#announced === 'away') return
    this.#announced = 'away'
    this.figures.away++
    this.#onChange(reason)
  }
}

function headOf(key: string): Buffer {
  return Buffer.from(`${key}\n`)
}
