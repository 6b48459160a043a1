import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseUnavailable, UnusableDatabase } from '../errors.js'
import { Candidate, type Proving } from './candidate.js'
import { asDatabaseError, ConnectionLost, isLeaving } from './errors.js'
import type { Host } from './hosts.js'
import type { Session } from './session.js'

/** How long a request waits for a primary, in milliseconds, and for the proof that it still is. */
export const PATIENCE_MS = 2000
/** What has less time than this is not begun: it would cost a connection when it is late, in milliseconds. */
export const LEAST_MS = 50
/** How long the database may take to tell how it is: who asks has other things to do. */
export const PING_MS = 500
/** Between two rounds of asking all hosts. */
const ROUND_MS = 250

export interface PrimaryListener {
  /** Called when one was found, and when it was lost, or is doubted. */
  onPrimary?: (host: string) => void
  onLost?: (reason: string) => void
}

/** How the search for a primary goes. */
export interface PrimaryStats {
  /** `host:port` of it. */
  host: string | undefined
  /** Since when it is proven, in seconds; none where nothing is asked for. */
  proofAge: number | undefined
  losses: number
}

/** The server that takes writes, of those that are named; found at the start, and after each loss. */
export class Primary {
  readonly #candidates: Candidate[]
  readonly #listener: PrimaryListener
  readonly #waiting = new Set<(session: Session) => void>()
  /** Rejects when every host has said that it can never be used. */
  readonly #hopeless: Promise<never>
  #despair: (error: Error) => void = () => {}
  #session: Session | undefined
  #isSearching = false
  #isClosed = false
  #losses = 0
  /** When the last one was lost, in milliseconds of `performance.now()`; none was found yet: never. */
  #lostAt = Number.POSITIVE_INFINITY
  #watch: NodeJS.Timeout

  constructor(hosts: Host[], proving: Proving, listener: PrimaryListener = {}) {
    this.#candidates = hosts.map((host) => new Candidate(host, proving))
    this.#listener = listener
    this.#hopeless = new Promise((_, reject) => (this.#despair = reject))
    this.#hopeless.catch(() => {})
    // A server that hangs sends no error.
    this.#watch = setInterval(() => {
      if (this.#session?.proof.isDoubtful) this.#search()
    }, ROUND_MS).unref()
    this.#search()
  }

  get stats(): PrimaryStats {
    const { host, proof } = this.#session ?? {}
    return { host: host?.name, proofAge: proof?.age, losses: this.#losses }
  }

  get #reasons(): string {
    return this.#candidates.map(({ host, reason }) => `${host.name}: ${reason}`).join('; ')
  }

  /**
   * Resolves with the session that there is, or with the next.
   *
   * @throws {DatabaseUnavailable} if there is none in time
   */
  async session(patienceMs = PATIENCE_MS): Promise<Session> {
    if (this.#session) return this.#session
    // Nobody waits long for what is known to be away.
    const isAway = performance.now() - this.#lostAt > PATIENCE_MS
    let resolve: (session: Session) => void = () => {}
    const found = new Promise<Session>((settle) => (resolve = settle))
    this.#waiting.add(resolve)
    try {
      const ms = isAway ? Math.min(patienceMs, ROUND_MS) : patienceMs
      return await within(ms, found, 'no server takes writes')
    } finally {
      this.#waiting.delete(resolve)
    }
  }

  /**
   * Does something with the primary; what it read is proven when the promise resolves. What fails for the
   * moment becomes a 503, in time.
   */
  async do<T>(work: (session: Session) => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
    if (patienceMs < LEAST_MS) throw new DatabaseUnavailable('no answer in time')
    const deadline = performance.now() + patienceMs
    const session = this.#session ?? (await this.session(patienceMs))
    try {
      const doing = work(session)
      const result = await within(deadline - performance.now(), doing, 'no answer in time')
      const proof = session.proof.proven()
      if (proof) await within(deadline - performance.now(), proof, 'it is not sure who is primary')
      return result
    } catch (error) {
      if (isLeaving(error)) session.lose(error as Error)
      throw asDatabaseError(error)
    }
  }

  /** @throws {UnusableDatabase} if there is none in time, or if no host can ever be one */
  async first(patienceMs: number): Promise<void> {
    const found = this.session(patienceMs)
    try {
      await Promise.race([found, this.#hopeless])
    } catch (error) {
      found.catch(() => {})
      if (error instanceof UnusableDatabase) throw error
      throw new UnusableDatabase(`no server takes writes: start one, or name it (${this.#reasons})`)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watch)
    await this.#session?.close()
  }

  /** Until there is a session of which nobody doubts that it is the primary's. */
  async #search(): Promise<void> {
    if (this.#isSearching) return
    this.#isSearching = true
    while (!this.#isClosed && (!this.#session || this.#session.proof.isDoubtful)) {
      const round = delay(ROUND_MS, undefined, { ref: false })
      for (const candidate of this.#candidates) {
        // Of the one that is doubted the beat goes on.
        const isKnown = candidate.host === this.#session?.host
        if (!isKnown && !candidate.isAsked) this.#ask(candidate)
      }
      await round
    }
    this.#isSearching = false
  }

  async #ask(candidate: Candidate): Promise<void> {
    const session = await candidate.ask()
    if (session) {
      this.#found(session)
    } else if (this.#candidates.every(({ unusable }) => unusable)) {
      this.#despair(candidate.unusable as Error)
    }
  }

  #found(session: Session): void {
    if (session.isLost) return
    // One that was late.
    if (this.#isClosed || (this.#session && !this.#session.proof.isDoubtful)) {
      session.close()
      return
    }
    const old = this.#session
    this.#session = session
    old?.lose(new ConnectionLost('another server is the primary'))
    session.lost.then((error) => this.#lose(session, error))
    this.#listener.onPrimary?.(session.host.name)
    for (const resolve of this.#waiting) resolve(session)
  }

  #lose(session: Session, error: Error): void {
    if (this.#isClosed) return
    this.#losses++
    this.#listener.onLost?.(`${session.host.name}: ${error.message}`)
    if (this.#session !== session) return
    this.#session = undefined
    this.#lostAt = performance.now()
    this.#search()
  }
}

/** @throws {DatabaseUnavailable} */
export async function within<T>(ms: number, work: Promise<T>, reason: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    // What was late already is answered at once, if it can be.
    timer = setTimeout(() => reject(new DatabaseUnavailable(reason)), Math.max(ms, 0))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
