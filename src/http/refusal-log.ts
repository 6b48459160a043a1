import type { FastifyBaseLogger } from 'fastify'

/** Lines of each kind in a second; beyond that refusals are counted, and a line says how many. */
export const LINES_PER_SECOND = 10
const SECOND_MS = 1000

/** The statuses that tell a client that it may not ask, or not this often. */
export const REFUSALS: ReadonlySet<number> = new Set([401, 403, 421, 429])

/**
 * The lines about what was refused. Whoever is refused can ask as often as they like, so that the log
 * would be theirs to fill; and no line repeats what was sent, which may be a key.
 */
export class RefusalLog {
  readonly #log: FastifyBaseLogger
  readonly #counts = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  /** @param kind of a small number of kinds: each has lines of its own */
  write(kind: string, line: object): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (count <= LINES_PER_SECOND) this.#log.warn({ kind, ...line }, 'refused')
    this.#timer ??= setTimeout(() => this.end(), SECOND_MS).unref()
  }

  /** Ends the second: says what was left out of it. */
  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [kind, count] of this.#counts) {
      const leftOut = count - LINES_PER_SECOND
      if (leftOut > 0) this.#log.warn({ kind, leftOut }, 'more were refused in this second')
    }
    this.#counts.clear()
  }
}
