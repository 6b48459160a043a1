/** The answer of a view at one version, ready to send. */
export interface CacheEntry {
  version: string
  body: Buffer
  /** When it expires, in milliseconds of `performance.now()`. */
  expires: number
}

/**
 * The first level: the last answer of each view, in this process. An entry bears the version that it
 * belongs to and is used for no other, so nobody has to tell it about writes.
 */
export class L1Cache<View> {
  readonly #entries = new Map<View, CacheEntry>()

  get(view: View, version: string): CacheEntry | undefined {
    const entry = this.#entries.get(view)
    return entry?.version === version && entry.expires > performance.now() ? entry : undefined
  }

  /** @param ttl milliseconds */
  set(view: View, version: string, body: Buffer, ttl: number): CacheEntry {
    const entry = { version, body, expires: performance.now() + ttl }
    this.#entries.set(view, entry)
    return entry
  }

  /** The views that have an entry, with its version. */
  *versions(): Iterable<[view: View, version: string]> {
    for (const [view, { version }] of this.#entries) yield [view, version]
  }

  delete(view: View): void {
    this.#entries.delete(view)
  }
}
