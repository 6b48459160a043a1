/** How many of something each client may have under way at once. */
export class ConcurrencyLimit {
  readonly #most: number
  readonly #Refusal: new (
    most: number,
  ) => Error
  readonly #counts = new Map<string, number>()

  /** @param Refusal what is thrown beyond that */
  constructor(most: number, Refusal: new (most: number) => Error) {
    this.#most = most
    this.#Refusal = Refusal
  }

  /**
   * One more of this client; the function that it returns says that it has ended.
   *
   * @throws the refusal
   */
  enter(client: string): () => void {
    const count = this.#counts.get(client) ?? 0
    if (count >= this.#most) throw new this.#Refusal(this.#most)
    this.#counts.set(client, count + 1)
    return () => {
      const left = (this.#counts.get(client) ?? 1) - 1
      if (left > 0) this.#counts.set(client, left)
      else this.#counts.delete(client)
    }
  }
}
