/** The value that the rows of one part have in common: of a column, or the number of a block of ids. */
export type Part = string | number

/** How the rows of a view are divided. */
export interface Division {
  by: string
  size?: number | undefined
}

/** The parts of a view's JSON in their order, and where each ends in it, in bytes, without the comma behind. */
export interface PartIndex {
  parts: Part[]
  ends: number[]
}

/** What a shell has written that is no UTF-8: its place is another than it seems, and by this it is not found. */
export function isUnclear(part: Part): boolean {
  return typeof part === 'string' && part.includes('\ufffd')
}

/** Rows as they stand in a JSON array. */
export function inJson(rows: unknown[]): string {
  return JSON.stringify(rows).slice(1, -1)
}

/** Writes the rows of a view as JSON, and notes where each part of it ends. */
export class PartsWriter {
  readonly #index: PartIndex = { parts: [], ends: [] }
  #isUnclear = false
  readonly #division: Division
  /** Behind the bracket that opens the array. */
  #offset = 1

  constructor(division: Division) {
    this.#division = division
  }

  /** None if it is not known where a part belongs. */
  get index(): PartIndex | undefined {
    return this.#isUnclear ? undefined : this.#index
  }

  write(rows: unknown[]): string {
    const texts: string[] = []
    for (let from = 0; from < rows.length; ) {
      const part = this.#partOf(rows[from])
      let to = from + 1
      while (to < rows.length && this.#partOf(rows[to]) === part) to++
      const text = inJson(rows.slice(from, to))
      texts.push(text)
      this.#note(part, text)
      from = to
    }
    return texts.join(',')
  }

  #partOf(row: unknown): Part {
    const { by, size } = this.#division
    const value = (row as Record<string, Part>)[by] as Part
    return size === undefined ? value : Math.floor((value as number) / size)
  }

  /** Rows of one part may come in several chunks. */
  #note(part: Part, text: string): void {
    const { parts, ends } = this.#index
    this.#isUnclear ||= isUnclear(part)
    const end = this.#offset + Buffer.byteLength(text)
    this.#offset = end + 1
    if (parts.at(-1) === part) {
      ends[ends.length - 1] = end
    } else {
      parts.push(part)
      ends.push(end)
    }
  }
}
