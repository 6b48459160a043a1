import type { Body } from './body.js'
import type { PartIndex } from './parts.js'

/** The answer of a view at one version, ready to send. */
export interface CacheEntry {
  version: string
  /** The number of that version among those of the database. */
  number: number
  body: Body
  /** The parts of the body, if the view has parts. */
  index?: PartIndex | undefined
  /** When it expires, in milliseconds of `performance.now()`. */
  expires: number
}

/**
 * The first level: the last answer of each view, in this process. An entry bears the version that it
 * belongs to and is an answer for no other, so nobody has to tell it about writes; but one that has parts
 * spares the next version reading those that have not changed.
 */
export class L1Cache<View> {
  readonly #entries = new Map<View, CacheEntry>()

  /** @param now in milliseconds of `performance.now()` */
  get(view: View, version: string, now = performance.now()): CacheEntry | undefined {
    const entry = this.#entries.get(view)
    return entry?.version === version && entry.expires > now ? entry : undefined
  }

  /** The entry of whatever version, if it has parts. */
  last(view: View): DividedEntry | undefined {
    const entry = this.#entries.get(view)
    return entry?.index && entry.expires > performance.now() ? (entry as DividedEntry) : undefined
  }

  /** @returns the entry that was there before */
  set(view: View, entry: CacheEntry): CacheEntry | undefined {
    const before = this.#entries.get(view)
    this.#entries.set(view, entry)
    return before
  }

  /** The views that have an entry. */
  entries(): Iterable<[view: View, entry: CacheEntry]> {
    return this.#entries
  }

  /** Forgets an entry, unless another one has taken its place. */
  delete(view: View, entry: CacheEntry): void {
    if (this.#entries.get(view) === entry) this.#entries.delete(view)
  }
}

export type DividedEntry = CacheEntry & { index: PartIndex }
