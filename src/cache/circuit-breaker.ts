const PROBE_INTERVAL_MS = 500
/** Probes without an answer after which the connection is taken for dead, and made anew. */
const MAX_UNANSWERED = 3

/** What a command fails with while the circuit is open. */
const OPEN = new Error('Redis is away')

/** What a circuit breaker stands in front of. */
export interface Guarded {
  /** Resolves if commands can be sent now. */
  probe(): Promise<void>
  /** Whether there is a connection; without one it makes no sense to probe. */
  isConnected(): boolean
  /** Gives up the connection and makes a new one, which says so by {@link CircuitBreaker.probe}. */
  reconnect(): void
  /** Whether a command got no answer in time, as opposed to a wrong one. */
  isTimeout(error: unknown): boolean
  /** Whether the connection itself cannot be trusted any more after this error. */
  isBroken(error: unknown): boolean
}

/** @param reason why commands cannot be sent; undefined: they can */
export type OnChange = (reason: string | undefined) => void

/**
 * A circuit breaker (Nygard, Release It!, 2007): the first command that fails opens the circuit, and
 * all that follow fail at once, at no cost, until a probe in the background succeeds and closes it.
 */
export class CircuitBreaker {
  /** How often commands could be sent again (here) or no more (away), and those that failed. */
  readonly stats = { here: 0, away: 0, timeouts: 0, errors: 0 }
  readonly #guarded: Guarded
  readonly #onChange: OnChange
  #closed = false
  #announced: 'here' | 'away' | undefined
  #probing: NodeJS.Timeout | boolean = false
  #unanswered = 0

  constructor(guarded: Guarded, onChange: OnChange) {
    this.#guarded = guarded
    this.#onChange = onChange
  }

  /** Whether commands are sent. */
  get isClosed(): boolean {
    return this.#closed
  }

  async run<T>(command: () => Promise<T>): Promise<T> {
    if (!this.#closed) throw OPEN
    try {
      return await command()
    } catch (error) {
      // Not yet announced: the probe tells a Redis that is away from a moment's hiccup of ours.
      this.#closed = false
      this.stats[this.#guarded.isTimeout(error) ? 'timeouts' : 'errors']++
      if (this.#guarded.isBroken(error)) this.#guarded.reconnect()
      else this.probe()
      throw error
    }
  }

  /** Finds out whether commands can be sent; if not, tries again for as long as there is a connection. */
  async probe(): Promise<void> {
    if (this.#probing === true) return
    if (typeof this.#probing === 'object') clearTimeout(this.#probing)
    this.#probing = true
    try {
      await this.#guarded.probe()
      this.#probing = false
      this.#close()
    } catch (error) {
      this.#probing = false
      this.open((error as Error).message)
      if (!this.#guarded.isConnected()) return
      if (++this.#unanswered < MAX_UNANSWERED) {
        this.#probing = setTimeout(() => this.probe(), PROBE_INTERVAL_MS).unref()
      } else {
        this.#unanswered = 0
        this.#guarded.reconnect()
      }
    }
  }

  open(reason: string): void {
    this.#closed = false
    if (this.#announced === 'away') return
    this.#announced = 'away'
    this.stats.away++
    this.#onChange(reason)
  }

  /** Probes no more. */
  end(): void {
    if (typeof this.#probing === 'object') clearTimeout(this.#probing)
    this.#probing = true
  }

  #close(): void {
    this.#closed = true
    this.#unanswered = 0
    if (this.#announced === 'here') return
    this.#announced = 'here'
    this.stats.here++
    this.#onChange(undefined)
  }
}
