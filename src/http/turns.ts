import { setImmediate as turn } from 'node:timers/promises'

/**
 * Gives pieces of work that hold the event loop for long a turn of it each, in the order in which they
 * asked, so that short ones of others come in between.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Resolves when it is the caller's turn, which ends with its first `await`. */
  next(): Promise<unknown> {
    this.#last = this.#last.then(() => turn())
    return this.#last
  }
}
