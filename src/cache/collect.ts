import type { Readable } from 'node:stream'
import { Body } from './body.js'

/** Bodies past this size are sent as they are read, and cached nowhere. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024

/**
 * Reads a stream of bytes into a body. If it is too large for the cache, returns the stream, with
 * all of it still to be read.
 */
export async function collect(stream: Readable): Promise<Body | Readable> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_BODY_BYTES) {
      stream.unshift(Buffer.concat(chunks, size))
      return stream
    }
  }
  return Body.of(chunks)
}
