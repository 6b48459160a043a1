import { UnusableDatabase } from '../errors.js'
import { Connection } from './connection.js'
import { NotPrimary } from './errors.js'
import { explained } from './explained.js'
import type { Host } from './hosts.js'
import { CommittingProof, confirmedBeat, Lease, NO_PROOF, type Proof } from './proof.js'
import { Session } from './session.js'
import { assertDurable, assertSuitable } from './suitable.js'

/** How long a beat may take that makes a server the primary: a later one proves nothing of now. */
const CONFIRM_MS = 1000
/** How long to wait for a server that does not answer, the first time and at most. */
const FIRST_MS = 4000
const LONGEST_MS = 30_000

/** How what a server says is proven: not at all; by a lease, in milliseconds; by a commit each time (0). */
export type Proving = undefined | number

/**
 * A host of which it is not known whether it is the primary. Asked what it is, an old primary says that it
 * takes writes, and truthfully; so a host is taken for the primary when it has confirmed a commit.
 *
 * A server whose standby is away answers no commit, and each one that is asked for leaves a process there
 * that waits: so an attempt that hangs is kept, and the next one is later than the one before.
 */
export class Candidate {
  readonly host: Host
  readonly #proving: Proving
  #longest = FIRST_MS
  /** Whether it is being asked. */
  isAsked = false
  /** What it said last. */
  reason = 'it was not asked yet'
  /** Why it can never be used, if that is what it said. */
  unusable: UnusableDatabase | undefined

  constructor(host: Host, proving: Proving) {
    this.host = host
    this.#proving = proving
  }

  /** Asks it. Resolves with nothing if it is not the primary, or cannot be reached. */
  async ask(): Promise<Session | undefined> {
    this.isAsked = true
    this.unusable = undefined
    try {
      return await this.#try()
    } catch (error) {
      const why = explained(error, this.host)
      this.reason = why.message
      if (why instanceof UnusableDatabase) this.unusable = why
      return undefined
    } finally {
      this.isAsked = false
    }
  }

  async #try(): Promise<Session> {
    const beats = await Connection.open(this.host)
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          this.#longest = Math.min(2 * this.#longest, LONGEST_MS)
          reject(new NotPrimary('it does not answer'))
        }, this.#longest)
      })
      const session = await Promise.race([this.#elect(beats), late])
      this.#longest = FIRST_MS
      this.reason = 'it was the primary'
      return session
    } catch (error) {
      beats.destroy()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async #elect(beats: Connection): Promise<Session> {
    await assertSuitable(beats)
    await assertDurable(beats)
    return Session.open(this.host, beats, await this.#prove(beats))
  }

  async #prove(beats: Connection): Promise<Proof> {
    if (this.#proving === undefined) return NO_PROOF
    for (;;) {
      const sent = performance.now()
      if (!(await confirmedBeat(beats)) || performance.now() - sent > CONFIRM_MS) continue
      return this.#proving === 0
        ? new CommittingProof(beats, sent)
        : new Lease(beats, sent, this.#proving)
    }
  }
}
