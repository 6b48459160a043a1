/** How often the primary asks whether its workers are there. */
export const PING_MS = 1000
/** Who has not answered for so long hangs: no request takes the event loop for seconds. */
export const SILENT_MS = 5000

/** What the primary asks, and what a worker answers. */
export const PING = { ping: true }
const PONG = { pong: true }

/** In a worker: answers the primary, as long as the event loop goes round. */
export function answerPings(): void {
  process.on('message', (message: object) => {
    // Without a callback, a primary that is gone would be an uncaught error.
    if ('ping' in message) process.send?.(PONG, undefined, undefined, () => {})
  })
}

export function isPong(message: object): boolean {
  return 'pong' in message
}

/** Which of some workers have not answered for too long. All times are of `performance.now()`. */
export class Heartbeat<Worker> {
  readonly #heard = new Map<Worker, number>()
  #looked = Number.POSITIVE_INFINITY

  /** From now on it is to answer: not while it starts, which may take long. */
  expect(worker: Worker, now: number): void {
    this.#heard.set(worker, now)
  }

  hear(worker: Worker, now: number): void {
    if (this.#heard.has(worker)) this.#heard.set(worker, now)
  }

  forget(worker: Worker): void {
    this.#heard.delete(worker)
  }

  /** To be asked each {@link PING_MS}. */
  silent(now: number): Worker[] {
    // The primary itself stood still, or the whole machine did: what they said may not be read yet.
    if (now - this.#looked > 2 * PING_MS) {
      for (const worker of this.#heard.keys()) this.#heard.set(worker, now)
    }
    this.#looked = now
    return [...this.#heard].filter(([, at]) => now - at > SILENT_MS).map(([worker]) => worker)
  }
}
