import { type Body, BodyBuilder } from './body.js'

/** What the rows of one part of a view have in common. */
export type Part = string | number

/** The parts of a view's JSON in their order, and where each ends in it, in bytes, without the comma behind. */
export interface PartIndex {
  parts: Part[]
  ends: number[]
}

/** A body, a JSON array, and its parts. */
export interface DividedBody {
  body: Body
  index: PartIndex
}

/** Whether the parts are in their order, each once: else nobody knows where one belongs. */
export function isOrdered({ parts }: PartIndex): boolean {
  return parts.every((part, i) => i === 0 || compare(parts[i - 1] as Part, part) < 0)
}

/**
 * The body with other parts in the place of those that have changed.
 *
 * @param changed each with its rows as they stand in the array; empty if it has none any more
 */
export function joinParts(
  { body, index }: DividedBody,
  changed: readonly [part: Part, json: Buffer][],
): DividedBody {
  const joined = new Joined(body, index)
  let next = 0
  for (const [part, json] of changed.toSorted(([one], [other]) => compare(one, other))) {
    const place = placeOf(part, index.parts)
    joined.keep(next, place)
    joined.add(part, json)
    next = index.parts[place] === part ? place + 1 : place
  }
  joined.keep(next, index.parts.length, true)
  return joined.whole()
}

class Joined {
  readonly #old: DividedBody
  readonly #builder: BodyBuilder
  readonly #index: PartIndex = { parts: [], ends: [] }
  /** Where the next piece begins: behind the bracket, or a comma. */
  #offset = 1
  /** Whether the last byte of the old body, its bracket, was taken over. */
  #isClosed = false

  constructor(body: Body, index: PartIndex) {
    this.#old = { body, index }
    this.#builder = new BodyBuilder(body)
  }

  /** Takes the parts of the old body over, from one to before another, with what stands around them. */
  keep(from: number, to: number, isLast = false): void {
    if (from === to) return
    const { body, index } = this.#old
    const { parts, ends } = index
    const start = from === 0 ? 1 : (ends[from - 1] as number) + 1
    const isFirst = this.#offset === 1
    // In front of it stands what has to, unless it was the first and is not any more, or the other way around.
    const isPreceded = isFirst === (from === 0)
    if (!isPreceded) this.#builder.add(isFirst ? BRACKET : COMMA)
    this.#isClosed = isLast
    const end = (ends[to - 1] as number) + (isLast ? 1 : 0)
    for (const slice of body.slice(isPreceded ? start - 1 : start, end)) this.#builder.add(slice)
    const shift = this.#offset - start
    for (let i = from; i < to; i++) this.#note(parts[i] as Part, (ends[i] as number) + shift)
  }

  add(part: Part, json: Buffer): void {
    if (json.length === 0) return
    this.#builder.add(this.#offset === 1 ? BRACKET : COMMA)
    this.#builder.add(json)
    this.#note(part, this.#offset + json.length)
  }

  #note(part: Part, end: number): void {
    this.#index.parts.push(part)
    this.#index.ends.push(end)
    this.#offset = end + 1
  }

  whole(): DividedBody {
    if (this.#offset === 1) this.#builder.add(BRACKET)
    if (!this.#isClosed) this.#builder.add(CLOSING_BRACKET)
    return { body: this.#builder.body(), index: this.#index }
  }
}
const [BRACKET, COMMA, CLOSING_BRACKET] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
]

/** Where a part is among others, or would be. */
function placeOf(part: Part, parts: readonly Part[]): number {
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(parts[middle] as Part, part) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** As the databases order them: text by its bytes, which is not how JavaScript does it. */
function compare(one: Part, other: Part): number {
  return typeof one === 'string'
    ? Buffer.compare(Buffer.from(one), Buffer.from(String(other)))
    : one - Number(other)
}
