/**
 * What writers were told and readers saw. Each writer counts upwards, one write after the other, so a
 * reader's answer is a number for each writer. A read is right if it shows
 * - at least what was acknowledged, or shown to anybody, before it began (never stale, in order);
 * - at most what was sent before it ended (nothing invented);
 * - nothing of which its writer was told that it was not done. Of a write whose writer was told nothing,
 *   either outcome is right.
 *
 * One process keeps it, so "before" needs no clocks.
 */
export class History {
  readonly violations: string[] = []
  checkedReads = 0
  acknowledgedWrites = 0
  readonly #sent: number[]
  /** What a read that begins now has to show. */
  readonly #floor: number[]
  readonly #refused: Set<number>[]

  constructor(writers: number) {
    this.#sent = new Array(writers).fill(0)
    this.#floor = new Array(writers).fill(0)
    this.#refused = Array.from({ length: writers }, () => new Set())
  }

  /** A write begins: its number, and what to call when it was acknowledged, or refused with nothing done. */
  write(writer: number): { value: number; acknowledged: () => void; refused: () => void } {
    const value = (this.#sent[writer] as number) + 1
    this.#sent[writer] = value
    return {
      value,
      acknowledged: () => {
        this.acknowledgedWrites++
        this.#raise(writer, value)
      },
      refused: () => this.#refused[writer]?.add(value),
    }
  }

  /**
   * A read begins; call the returned function with what it showed of each writer.
   *
   * @param only the one writer whom it can show; all if left out
   */
  read(where: string, only?: number): (shown: number[]) => void {
    const floor = [...this.#floor]
    return (shown) => {
      this.checkedReads++
      for (const [writer, least] of floor.entries()) {
        if (only === undefined || only === writer) {
          this.#judge(`${where}: writer ${writer}`, writer, shown[writer] ?? 0, least)
        }
      }
    }
  }

  #judge(who: string, writer: number, value: number, least: number): void {
    if (value < least) this.violations.push(`${who} at ${value}, stale: ${least} was there`)
    if (value > (this.#sent[writer] as number)) {
      this.violations.push(`${who} at ${value}, which nobody wrote`)
    }
    if (this.#refused[writer]?.has(value)) {
      this.violations.push(`${who} at ${value}, which was answered as not done`)
    }
    this.#raise(writer, value)
  }

  #raise(writer: number, value: number): void {
    this.#floor[writer] = Math.max(this.#floor[writer] as number, value)
  }
}
