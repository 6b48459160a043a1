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

  /** Starts a flight, which the leader must end. Only the first way in which it does counts. */
  lead(key: Key): Flight<T> {
    let settle: { resolve: (value?: T) => void; reject: (error: unknown) => void } | undefined
    const flight = new Promise<T | undefined>((resolve, reject) => (settle = { resolve, reject }))
    // There may be nobody who waits.
    flight.catch(() => {})
    this.#flights.set(key, flight)
    const end = () => {
      const last = settle
      if (last) this.#flights.delete(key)
      settle = undefined
      return last
    }
    return { land: (value) => end()?.resolve(value), fail: (error) => end()?.reject(error) }
  }
}

export interface Flight<T> {
  /** Gives those who wait the value; without one they go on alone. */
  land: (value?: T) => void
  /** Fails for those who wait, too. */
  fail: (error: unknown) => void
}
