import { addAbortSignal, Readable } from 'node:stream'

/** Where rows come from: it is closed when they are read, or when it must be given up. */
interface Source {
  readonly signal: AbortSignal
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
  readonly #rows: Iterator<unknown>
  readonly #source: Source
  #separator = '['
  #ended = false

  constructor(rows: Iterator<unknown>, source: Source) {
    super({ highWaterMark: 1 })
    this.#rows = rows
    this.#source = source
    addAbortSignal(source.signal, this)
  }

  override _read(): void {
    setImmediate(() => {
      if (this.destroyed) return
      try {
        if (this.#ended) this.push(null)
        else this.#pushChunk()
      } catch (error) {
        this.destroy(error as Error)
      }
    })
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    try {
      try {
        this.#rows.return?.()
      } finally {
        this.#source.close()
      }
      callback(error)
    } catch (closeError) {
      callback(error ?? (closeError as Error))
    }
  }

  #pushChunk(): void {
    let chunk = ''
    for (let count = 0; count < ROWS_PER_CHUNK; count++) {
      const row = this.#rows.next()
      if (row.done) {
        // The end comes with the next read: whoever has the last chunk can still put it back.
        this.#ended = true
        this.push(`${chunk}${this.#separator === '[' ? '[]' : ']'}`)
        return
      }
      chunk += this.#separator + JSON.stringify(row.value)
      this.#separator = ','
    }
    this.push(chunk)
  }
}

/** A cached view as JSON, with the version that its rows belong to: both of one snapshot. */
export class ViewStream extends JsonArrayStream {
  readonly version: string

  constructor(version: string, rows: Iterator<unknown>, source: Source) {
    super(rows, source)
    this.version = version
  }
}
