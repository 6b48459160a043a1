import createError from '@fastify/error'

const TooManyAtOnce = createError(
  'TOO_MANY_AT_ONCE',
  'You read %d whole lists at once already; read one of them to its end, or read pages (?limit=)',
  429,
)

/** How many long answers each client may have under way at once. */
export class ConcurrencyLimit {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /**
   * One more of this client; the function that it returns says that it has ended.
   *
   * @throws {TooManyAtOnce} with status 429
   */
  enter(client: string): () => void {
    const count = this.#counts.get(client) ?? 0
    if (count >= this.#most) throw new TooManyAtOnce(this.#most)
    this.#counts.set(client, count + 1)
    return () => {
      const left = (this.#counts.get(client) ?? 1) - 1
      if (left > 0) this.#counts.set(client, left)
      else this.#counts.delete(client)
    }
  }
}
