import { Body } from './body.js'
import type { CacheEntry } from './l1-cache.js'
import type { PartIndex } from './parts.js'

/** What is stored of an entry beside its body. */
interface Description {
  number: number
  index?: PartIndex | undefined
}

const LENGTH_BYTES = 4
/** Of more parts the places are not stored: what is read of a store is bounded. */
const MAX_PARTS = 20_000

/** An entry as it is stored: its body, what belongs to it as JSON, and the length of that. */
export function storedEntry({ body, number, index }: CacheEntry): Buffer {
  const stored: Description =
    index && index.parts.length <= MAX_PARTS ? { number, index } : { number }
  const description = Buffer.from(JSON.stringify(stored))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(description.length)
  return Buffer.concat([...body.segments, description, length])
}

/** @throws for what is no stored entry */
export function entryOf(stored: Buffer): Description & { body: Body } {
  const end = stored.length - LENGTH_BYTES
  const start = end - stored.readUInt32BE(end)
  const { number, index } = JSON.parse(stored.toString('utf8', start, end)) as Description
  return { number, index, body: Body.of([stored.subarray(0, start)]) }
}
