import { isUtf8 } from 'node:buffer'
import { Transform, type TransformCallback } from 'node:stream'

const NEWLINE = 0x0a
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** A line of a text that cannot be read, and none behind it. */
export class BadLine extends Error {
  override name = 'BadLine'

  constructor(
    readonly line: number,
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`line ${line}: ${why}`, options)
  }
}

/**
 * Passes on bytes that are UTF-8, without a byte order mark in front. Anything else ends the stream
 * with a {@link BadLine}: the parsers behind it would quietly read U+FFFD.
 */
export class Utf8 extends Transform {
  #line = 1
  #isStart = true
  #rest: Buffer = Buffer.alloc(0)

  override _transform(chunk: Buffer, _: BufferEncoding, callback: TransformCallback): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const end = lastCharacter(bytes)
    this.#rest = bytes.subarray(end)
    this.#pass(bytes.subarray(0, end), callback)
  }

  override _flush(callback: TransformCallback): void {
    this.#pass(this.#rest, callback)
  }

  #pass(bytes: Buffer, callback: TransformCallback): void {
    if (!isUtf8(bytes)) {
      callback(new BadLine(this.#badLine(bytes), 'not UTF-8; save the file as UTF-8 first'))
      return
    }
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
      this.#line++
    }
    callback(null, this.#isStart ? withoutMark(bytes) : bytes)
    if (bytes.length > 0) this.#isStart = false
  }

  #badLine(bytes: Buffer): number {
    let line = this.#line
    let start = 0
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start)
      if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line
      start = end + 1
      line++
    }
  }
}

/** Where the last character begins if the next bytes may go on with it; otherwise the end. */
function lastCharacter(bytes: Buffer): number {
  for (let at = bytes.length - 1; at >= 0 && at > bytes.length - 4; at--) {
    const byte = bytes[at] as number
    if (byte >= 0xc0) return at
    if (byte < 0x80) break
  }
  return bytes.length
}

function withoutMark(bytes: Buffer): Buffer {
  const { length } = BYTE_ORDER_MARK
  return bytes.subarray(0, length).equals(BYTE_ORDER_MARK) ? bytes.subarray(length) : bytes
}
