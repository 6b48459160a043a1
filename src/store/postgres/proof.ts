import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from './connection.js'
import { ConnectionLost } from './errors.js'

/** A write to the log that means nothing, and whose commit a standby must confirm. */
export const BEAT = "SELECT pg_logical_emit_message(true, 'employees', '')"

/** How long a beat may take before somebody looks whether another server has become the primary. */
const DOUBT_MS = 1000

/**
 * Proves of what was read from a server that it was the primary when that was read. A primary that was
 * frozen or cut off while another one was promoted does not know of it, and would answer what was true
 * before.
 */
export interface Proof {
  /**
   * Resolves when everything that was read so far is proven; undefined if it is already. Never rejects
   * but for a server that is lost: who waits decides for how long.
   */
  proven(): Promise<void> | undefined
  /** Since when the server is proven to have been the primary, in seconds; none where nothing is asked for. */
  readonly age: number | undefined
  /** Whether it has not been proven for longer than it should take. */
  readonly isDoubtful: boolean
  close(): void
}

/** One server alone is named: nobody else can be promoted. */
export const NO_PROOF: Proof = {
  proven: () => undefined,
  age: undefined,
  isDoubtful: false,
  close() {},
}

interface Waiting {
  since: number
  resolve: () => void
  reject: (error: Error) => void
}

/** Beats, one at a time, and who waits for the next that is confirmed. */
abstract class Beating implements Proof {
  readonly #connection: Connection
  #waiting: Waiting[] = []
  #isBeating = false
  #isClosed = false
  /** When the last beat that was confirmed was sent, in milliseconds of `performance.now()`. */
  protected confirmed: number
  /** When the one under way was sent. */
  #sent: number | undefined

  /** @param confirmed when a beat was sent on this connection that was confirmed */
  constructor(connection: Connection, confirmed: number) {
    this.#connection = connection
    this.confirmed = confirmed
    connection.lost.then((error) => this.#fail(error))
  }

  abstract proven(): Promise<void> | undefined

  /** Called behind each beat; begins the next one when it is time. */
  protected abstract beaten(): void

  get age(): number {
    return (performance.now() - this.confirmed) / 1000
  }

  get isDoubtful(): boolean {
    return this.#sent !== undefined && performance.now() - this.#sent > DOUBT_MS
  }

  close(): void {
    this.#fail(new ConnectionLost('the service closes, or has found another primary'))
  }

  protected get isClosed(): boolean {
    return this.#isClosed
  }

  protected wait(): Promise<void> {
    const waiting = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ since: performance.now(), resolve, reject })
    })
    this.beat()
    return waiting
  }

  /** Sends a beat, unless one is under way: then the next one follows it if somebody waits. */
  protected beat(): void {
    if (this.#isBeating || this.#isClosed) return
    this.#isBeating = true
    this.#beatOnce().catch((error) => {
      // Whatever it was: without beats nothing is ever proven again, so all connections go.
      this.#connection.destroy()
      this.#fail(error)
    })
  }

  async #beatOnce(): Promise<void> {
    const sent = performance.now()
    this.#sent = sent
    const isConfirmed = await confirmedBeat(this.#connection)
    this.#sent = undefined
    this.#isBeating = false
    if (isConfirmed) {
      // From its sending: what happened after that, it proves nothing of.
      this.confirmed = sent
      const proven = this.#waiting.filter(({ since }) => since <= sent)
      this.#waiting = this.#waiting.filter(({ since }) => since > sent)
      for (const { resolve } of proven) resolve()
    }
    if (this.#waiting.length > 0) this.beat()
    else this.beaten()
  }

  #fail(error: Error): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/**
 * A lease: what is read within its length of the sending of the last beat that was confirmed is proven,
 * as nobody promotes another server so soon (see docs/postgresql.md for what that rests on). Reads pay
 * nothing for it.
 */
export class Lease extends Beating {
  readonly #ms: number

  constructor(connection: Connection, confirmed: number, ms: number) {
    super(connection, confirmed)
    this.#ms = ms
    this.beaten()
  }

  proven(): Promise<void> | undefined {
    return performance.now() < this.confirmed + this.#ms ? undefined : this.wait()
  }

  protected beaten(): void {
    delay(this.#ms / 5, undefined, { ref: false }).then(() => this.beat())
  }
}

/** Each proof is a beat that was sent behind what was read, shared by all who wait. It rests on nothing. */
export class CommittingProof extends Beating {
  proven(): Promise<void> {
    return this.wait()
  }

  protected beaten(): void {}
}

/** Writes a beat; says whether a standby has confirmed it, where one must. */
export async function confirmedBeat(connection: Connection): Promise<boolean> {
  connection.takeUnconfirmed()
  await connection.query(BEAT)
  return !connection.takeUnconfirmed()
}
