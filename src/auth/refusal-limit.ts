import { LRUCache } from 'lru-cache'

/** Requests without a valid key that an address may make in a minute. */
export const MAX_REFUSALS = 30
export const WINDOW_SECONDS = 60
/** Addresses that are remembered; beyond that, the one that was refused longest ago is forgotten. */
export const MAX_ADDRESSES = 10_000

/** Counts refusals by address, in a window that the first one opens. */
export class RefusalLimit {
  readonly #counts = new LRUCache<string, number>({
    max: MAX_ADDRESSES,
    ttl: 1000 * WINDOW_SECONDS,
    noUpdateTTL: true,
  })

  /**
   * Counts one more.
   *
   * @returns the seconds until the window's end, if these are too many; else 0
   */
  count(address: string): number {
    const count = (this.#counts.get(address) ?? 0) + 1
    this.#counts.set(address, count)
    return count > MAX_REFUSALS ? Math.ceil(this.#counts.getRemainingTTL(address) / 1000) : 0
  }
}
