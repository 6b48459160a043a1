import { Readable } from 'node:stream'

/** Bodies past this size are sent as they are read, and cached nowhere. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/**
 * Reads a stream into one buffer; if it is too large for the cache, returns a stream with all of it
 * instead.
 */
export async function collect(stream: Readable): Promise<Buffer | Readable> {
  const chunks: Buffer[] = []
  let size = 0
  const iterator = stream[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await iterator.next()
    if (done) return Buffer.concat(chunks, size)
    chunks.push(value)
    size += value.length
    if (size > MAX_BODY_BYTES) return Readable.from(rejoin(chunks, iterator), { objectMode: false })
  }
}

async function* rejoin(head: Buffer[], tail: AsyncIterableIterator<Buffer>) {
  try {
    yield* head
    yield* tail
  } finally {
    await tail.return?.()
  }
}
