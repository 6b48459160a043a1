/** The cached answer of a view, ready to send. */
export interface Copy {
  view: string
  version: string
  body: Buffer
  /** When it expires, in milliseconds of `performance.now()`. */
  expires: number
}

/**
 * The last answer of each view, in this process. A copy bears the version it belongs to and is used
 * for no other, so nobody has to tell it about writes.
 */
export class NearCopies {
  readonly #copies = new Map<string, Copy>()

  get(view: string, version: string): Copy | undefined {
    const copy = this.#copies.get(view)
    return copy?.version === version && copy.expires > performance.now() ? copy : undefined
  }

  /** @param ttl milliseconds */
  set(view: string, version: string, body: Buffer, ttl: number): Copy {
    const copy = { view, version, body, expires: performance.now() + ttl }
    this.#copies.set(view, copy)
    return copy
  }

  /** The views that have a copy, with its version. */
  *versions(): Iterable<[view: string, version: string]> {
    for (const [view, { version }] of this.#copies) yield [view, version]
  }

  delete(view: string): void {
    this.#copies.delete(view)
  }
}
