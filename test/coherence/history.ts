/**
 * What writers were told and readers saw. Each writer counts upwards, one write after the other, so a
 * reader's answer is a number for each writer. A read is right if it shows
 * - at least what was acknowledged, or shown to anybody, before it began (never stale, in order);
 * - at most what was sent before it ended (nothing invented).
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

  constructor(writers: number) {
    this.#sent = new Array(writers).fill(0)
    this.#floor = new Array(writers).fill(0)
  }

  /** A write begins: its number, and what to call when it was acknowledged. */
  write(writer: number): { value: number; acknowledged: () => void } {
    const value = (this.#sent[writer] as number) + 1
    this.#sent[writer] = value
    return {
      value,
      acknowledged: () => {
        this.acknowledgedWrites++
        this.#raise(writer, value)
      },
    }
  }

  /** A read begins; call the returned function with what it showed of each writer. */
  read(where: string): (shown: number[]) => void {
    const floor = [...this.#floor]
    return (shown) => {
      this.checkedReads++
      for (const [writer, least] of floor.entries()) {
        const value = shown[writer] ?? 0
        if (value < least) {
          this.violations.push(`${where}: writer ${writer} at ${value}, stale: ${least} was there`)
        }
        if (value > (this.#sent[writer] as number)) {
          this.violations.push(`${where}: writer ${writer} at ${value}, which nobody wrote`)
        }
        this.#raise(writer, value)
      }
    }
  }

  #raise(writer: number, value: number): void {
    this.#floor[writer] = Math.max(this.#floor[writer] as number, value)
  }
}
