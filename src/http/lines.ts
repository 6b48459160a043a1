import { isUtf8 } from 'node:buffer'
import { GrowingBuffer } from './growing-buffer.js'
import { BadLine } from './utf8.js'

const NEWLINE = 0x0a
/** Of a character, in UTF-8. */
const MOST_BYTES = 4

/** A line of a text, counted from 1. */
export interface Line {
  line: number
  text: string
}

/**
 * The lines of a text in UTF-8, in constant memory, without a byte order mark in front; its source is read as
 * fast as they are taken. Each that is right is given before one that is not is thrown: streams that end with an
 * error, as those of libraries do, take what they have read with them.
 *
 * @param maxLength of a line, in characters
 * @throws {BadLine} for one that is longer, or no UTF-8
 */
export async function* linesOf(
  bytes: AsyncIterable<Buffer>,
  maxLength: number,
): AsyncGenerator<Line> {
  let line = 0
  const rest = new GrowingBuffer()

  function next(): Line {
    line++
    const whole = rest.take()
    if (!isUtf8(whole)) throw new BadLine(line, 'not UTF-8; save the file as UTF-8 first')
    const text = whole.toString().replace(/\r$/, '')
    if (text.length > maxLength) throw tooLong(line)
    return { line, text: line === 1 ? text.replace(/^\ufeff/, '') : text }
  }

  function tooLong(line: number): BadLine {
    return new BadLine(line, `longer than ${maxLength} characters`)
  }

  for await (const chunk of bytes) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      rest.add(chunk.subarray(start, end))
      start = end + 1
      yield next()
    }
    if (start < chunk.length) rest.add(chunk.subarray(start))
    if (rest.length > MOST_BYTES * maxLength) throw tooLong(line + 1)
  }
  if (rest.length > 0) yield next()
}
