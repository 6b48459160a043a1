/**
 * Single flight: of those who miss the same key at once, the first (the leader) fetches the value and
 * the others wait for it. The name is that of Go's golang.org/x/sync/singleflight.
 */
export class SingleFlight<Key, T> {
  readonly #flights = new Map<Key, Promise<T | undefined>>()

  /** The value of the flight under way for this key; undefined: there is none, so lead one. */
  join(key: Key): Promise<T | undefined> | undefined {
    return this.#flights.get(key)
  }

  /**
   * Starts a flight. The leader must call the returned function, with the value or, when it has none
   * to share, without: then those who wait go on alone. Only the first call counts.
   */
  lead(key: Key): (value?: T) => void {
    let resolve: (value?: T) => void = () => {}
    this.#flights.set(key, new Promise<T | undefined>((settle) => (resolve = settle)))
    return (value) => {
      if (resolve === settled) return
      this.#flights.delete(key)
      resolve(value)
      resolve = settled
    }
  }
}

function settled(): void {}
