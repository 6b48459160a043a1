import { Readable } from 'node:stream'
import { type Division, inJson, type PartIndex, PartsWriter } from './parts.js'
import type { ViewState } from './view-chain.js'

/** Rows of one snapshot, which is closed when they were read, or must be given up. */
export interface RowSource {
  /** Aborted when it must be given up. */
  readonly signal: AbortSignal
  /** The next rows, at most so many; fewer are the last. */
  next(limit: number): unknown[] | Promise<unknown[]>
  close(): void
}

/** Rows that are made and sent between two turns of the event loop: about a millisecond of work. */
const ROWS_PER_CHUNK = 1000

/**
 * A JSON array of rows as bytes. It takes rows only as fast as they are sent and lets the event loop
 * turn between chunks, so that neither memory nor other requests feel its length. However it ends, its
 * source is closed once; and it ends when that must be given up.
 */
export class JsonArrayStream extends Readable {
  readonly #source: RowSource
  #separator = '['
  #ended = false

  constructor(source: RowSource) {
    super({ highWaterMark: 1 })
    this.#source = source
    const { signal } = source
    // With its reason and not an AbortError, since that says nothing of a status.
    signal.addEventListener('abort', () => this.destroy(signal.reason), { once: true })
    if (signal.aborted) this.destroy(signal.reason)
  }

  override _read(): void {
    setImmediate(() => {
      if (this.destroyed) return
      // The end comes with a read of its own: whoever has the last chunk can still put it back.
      if (this.#ended) this.push(null)
      else this.#pushChunk().catch((error) => this.destroy(error))
    })
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    try {
      this.#source.close()
      callback(error)
    } catch (closeError) {
      callback(error ?? (closeError as Error))
    }
  }

  async #pushChunk(): Promise<void> {
    const next = this.#source.next(ROWS_PER_CHUNK)
    const rows = Array.isArray(next) ? next : await next
    if (this.destroyed) return
    const isLast = rows.length < ROWS_PER_CHUNK
    let chunk = ''
    if (rows.length > 0) {
      chunk = this.#separator + this.inJson(rows)
      this.#separator = ','
    }
    if (isLast) chunk += this.#separator === '[' ? '[]' : ']'
    this.#ended = isLast
    this.push(chunk)
  }

  /** Rows as they stand in the array. */
  protected inJson(rows: unknown[]): string {
    return inJson(rows)
  }
}

/** A cached view as JSON, with the version that its rows belong to: both of one snapshot. */
export class ViewStream extends JsonArrayStream {
  readonly version: string
  /** The number of that version. */
  readonly number: number
  readonly #parts: PartsWriter | undefined

  constructor({ version, number }: ViewState, source: RowSource, division?: Division) {
    super(source)
    this.version = version
    this.number = number
    this.#parts = division && new PartsWriter(division)
  }

  /** Where its parts end, once it was read to its end; none if it has no parts. */
  get index(): PartIndex | undefined {
    return this.#parts?.index
  }

  protected override inJson(rows: unknown[]): string {
    return this.#parts ? this.#parts.write(rows) : inJson(rows)
  }
}
