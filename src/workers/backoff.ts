const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 30_000
/** Who lived for so long did not die of its start. */
const STABLE_MS = 60_000

/** How long to wait before each restart: doubling, and from the beginning after a life of a minute. */
export class Backoff {
  #deaths = 0

  /** The delay in milliseconds after a life of so many. */
  next(livedMs: number): number {
    if (livedMs >= STABLE_MS) this.#deaths = 0
    return Math.min(FIRST_DELAY_MS * 2 ** this.#deaths++, MAX_DELAY_MS)
  }
}
