import { Readable, type Writable } from 'node:stream'

/** A body up to this size is one buffer. */
const WHOLE_BYTES = 512 * 1024
/** What a larger one that comes as one buffer is cut into. */
const SEGMENT_BYTES = 64 * 1024
/** A segment from this size on is shared by the next body as it is; a smaller one is copied into its neighbour. */
const LEAST_BYTES = 1024

/**
 * The bytes of an answer. A large body has segments, which the next one shares where they are the same: to
 * make a buffer of megabytes at each change costs little, but to collect it again costs much.
 */
export class Body {
  readonly segments: readonly Buffer[]
  readonly length: number

  private constructor(segments: readonly Buffer[]) {
    this.segments = segments
    this.length = segments.reduce((sum, { length }) => sum + length, 0)
  }

  /** A body of chunks that nobody changes any more. */
  static of(chunks: readonly Buffer[]): Body {
    const body = new Body(chunks)
    if (body.length <= WHOLE_BYTES) return chunks.length === 1 ? body : new Body([body.whole()])
    return new Body(chunks.flatMap(cut))
  }

  /** All of it, in one buffer. */
  whole(): Buffer {
    const [first] = this.segments
    return first && this.segments.length === 1 ? first : Buffer.concat(this.segments, this.length)
  }

  /** What is sent: one buffer, or a stream of several. */
  payload(): Buffer | BodyStream {
    return this.segments.length === 1 ? this.whole() : new BodyStream(this)
  }

  /** Some of it, without a copy, from one place to before another. */
  slice(from: number, to: number): Buffer[] {
    const slices: Buffer[] = []
    let start = 0
    for (const segment of this.segments) {
      if (start >= to) break
      const end = start + segment.length
      if (from <= start && end <= to) slices.push(segment)
      else if (end > from) {
        slices.push(
          segment.subarray(Math.max(from - start, 0), Math.min(to - start, segment.length)),
        )
      }
      start = end
    }
    return slices
  }
}

/** Puts a body together of segments of another one, which are shared, and of pieces, which are copied. */
export class BodyBuilder {
  readonly #shared: ReadonlySet<Buffer>
  readonly #segments: Buffer[] = []
  #pieces: Buffer[] = []

  /** @param from the body whose segments are shared */
  constructor(from: Body) {
    this.#shared = new Set(from.segments)
  }

  add(piece: Buffer): void {
    if (piece.length >= LEAST_BYTES && this.#shared.has(piece)) {
      this.#flush()
      this.#segments.push(piece)
    } else {
      this.#pieces.push(piece)
    }
  }

  body(): Body {
    this.#flush()
    return Body.of(this.#segments)
  }

  #flush(): void {
    if (this.#pieces.length > 0) this.#segments.push(Buffer.concat(this.#pieces))
    this.#pieces = []
  }
}

/** A body of several segments as a stream, whose bytes are handed over at once, as those of a buffer are. */
export class BodyStream extends Readable {
  readonly body: Body
  #next = 0

  constructor(body: Body) {
    super({ highWaterMark: SEGMENT_BYTES })
    this.body = body
  }

  override _read(): void {
    this.push(this.body.segments[this.#next++] ?? null)
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    const writable = destination as unknown as Writable
    if (!writable.destroyed) {
      writable.cork()
      for (const segment of this.body.segments) writable.write(segment)
      writable.end()
      writable.uncork()
    }
    this.#next = this.body.segments.length
    this.resume()
    return destination
  }
}

/** Views of a buffer, none of them much larger than a segment. */
function cut(buffer: Buffer): Buffer[] {
  if (buffer.length <= 4 * SEGMENT_BYTES) return [buffer]
  return Array.from({ length: Math.ceil(buffer.length / SEGMENT_BYTES) }, (_, i) =>
    buffer.subarray(i * SEGMENT_BYTES, (i + 1) * SEGMENT_BYTES),
  )
}
