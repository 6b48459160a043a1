/** What two pieces are put into, at least. */
const LEAST_BYTES = 1024

/**
 * Bytes that come in pieces, in one buffer: a piece may be a byte, and takes hundreds for as long as it is kept
 * by itself.
 */
export class GrowingBuffer {
  #bytes: Buffer | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Adds a piece, which must not change any more. */
  add(piece: Buffer): void {
    const before = this.#length
    this.#length += piece.length
    // Most are one piece, which is as good as its copy.
    if (!this.#bytes || before === 0) {
      this.#bytes = piece
      return
    }
    if (this.#bytes.length < this.#length) this.#grow(before)
    piece.copy(this.#bytes, before)
  }

  /** All of it, and nothing is left. */
  take(): Buffer {
    const taken = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0)
    this.#bytes = undefined
    this.#length = 0
    return taken
  }

  /** To twice its size at least, so that each byte is copied a few times at most. */
  #grow(used: number): void {
    const larger = Buffer.allocUnsafe(Math.max(2 * used, this.#length, LEAST_BYTES))
    this.#bytes?.copy(larger, 0, 0, used)
    this.#bytes = larger
  }
}
