/** What the rows of one part of a view have in common. */
export type Part = string | number

/** The parts of a view's JSON in their order, and where each ends in it, in bytes, without the comma behind. */
export interface PartIndex {
  parts: Part[]
  ends: number[]
}

/** A body, a JSON array, and its parts. */
export interface DividedBody {
  body: Buffer
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
  const joined = new Joined()
  let next = 0
  for (const [part, json] of changed.toSorted(([one], [other]) => compare(one, other))) {
    const place = placeOf(part, index.parts)
    joined.keep(body, index, next, place)
    joined.add(part, json)
    next = index.parts[place] === part ? place + 1 : place
  }
  joined.keep(body, index, next, index.parts.length)
  return joined.whole()
}

class Joined {
  readonly #pieces: Buffer[] = []
  readonly #index: PartIndex = { parts: [], ends: [] }
  /** Where the next piece begins: behind the bracket, or a comma. */
  #offset = 1

  /** Takes the parts of an old body over, from one to before another. */
  keep(body: Buffer, { parts, ends }: PartIndex, from: number, to: number): void {
    if (from === to) return
    const start = from === 0 ? 1 : (ends[from - 1] as number) + 1
    const shift = this.#offset - start
    for (let i = from; i < to; i++) this.#note(parts[i] as Part, (ends[i] as number) + shift)
    this.#pieces.push(body.subarray(start, ends[to - 1]))
  }

  add(part: Part, json: Buffer): void {
    if (json.length === 0) return
    this.#note(part, this.#offset + json.length)
    this.#pieces.push(json)
  }

  #note(part: Part, end: number): void {
    this.#index.parts.push(part)
    this.#index.ends.push(end)
    this.#offset = end + 1
  }

  whole(): DividedBody {
    const body = Buffer.allocUnsafe(Math.max(this.#offset, 2))
    let at = 0
    for (const piece of this.#pieces) {
      body[at++] = at === 1 ? BRACKET : COMMA
      at += piece.copy(body, at)
    }
    if (at === 0) body[at++] = BRACKET
    body[at] = CLOSING_BRACKET
    return { body, index: this.#index }
  }
}
const [BRACKET, COMMA, CLOSING_BRACKET] = Buffer.from('[,]') as unknown as [number, number, number]

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
