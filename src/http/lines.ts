import { pipeline, type Readable } from 'node:stream'
import split from 'split2'
import { BadLine, Utf8 } from './utf8.js'

/** A line of a text, counted from 1. */
export interface Line {
  line: number
  text: string
}

/**
 * The lines of a text in UTF-8, in constant memory; its source is read as fast as they are taken.
 *
 * @param maxLength of a line, in characters
 * @throws {BadLine} for one that is longer, or no UTF-8
 */
export async function* linesOf(bytes: Readable, maxLength: number): AsyncGenerator<Line> {
  let line = 0
  const splitter = split((text) => ({ line: ++line, text }), { maxLength })
  try {
    const lines: AsyncIterable<Line> = pipeline(bytes, new Utf8(), splitter, () => {})
    for await (const each of lines) {
      if (each.text.length > maxLength) throw tooLong(each.line)
      yield each
    }
  } catch (error) {
    throw (error as Error).message === 'maximum buffer reached' ? tooLong(line + 1, error) : error
  }

  function tooLong(line: number, cause?: unknown) {
    return new BadLine(line, `longer than ${maxLength} characters`, { cause })
  }
}
