import type { FastifyBaseLogger } from 'fastify'

const SECOND_MS = 1000

interface Options {
  /** Lines of each kind in a second. */
  perSecond: number
  level: 'warn' | 'error'
  /** What a line says. */
  says: string
  /** What the line says that has how many were left out of a second. */
  saysMore: string
}

/**
 * Lines about what somebody else may cause as often as they like, so that the log would be theirs to fill:
 * so many of each kind in a second; beyond that they are counted, and a line says how many.
 */
export class BoundedLog {
  readonly #log: FastifyBaseLogger
  readonly #options: Options
  readonly #counts = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(log: FastifyBaseLogger, options: Options) {
    this.#log = log
    this.#options = options
  }

  /** @param kind of a small number of kinds: each has lines of its own */
  write(kind: string, line: object): void {
    const { perSecond, level, says } = this.#options
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (count <= perSecond) this.#log[level]({ 'error.code': kind, ...line }, says)
    this.#timer ??= setTimeout(() => this.end(), SECOND_MS).unref()
  }

  /** Ends the second: says what was left out of it. */
  end(): void {
    const { perSecond, level, saysMore } = this.#options
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [kind, count] of this.#counts) {
      const leftOut = count - perSecond
      if (leftOut > 0) this.#log[level]({ 'error.code': kind, leftOut }, saysMore)
    }
    this.#counts.clear()
  }
}
