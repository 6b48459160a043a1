import { counted, grouped } from '../commands/command.js'

/** How many of them are told in full. */
export const MAX_REPORTED = 20

/** What is wrong with the rows of a file. */
export class Faults {
  count = 0
  readonly #first: string[] = []

  add(line: number, fault: string): void {
    this.count++
    if (this.count <= MAX_REPORTED) this.#first.push(`line ${line}: ${fault}`)
  }

  /** How many rows of all are at fault, with the verb that fits: "1 of 4 rows has". */
  of(rows: number, one: string, many: string): string {
    const verb = this.count === 1 ? one : many
    return `${grouped(this.count)} of ${counted(rows, 'row', 'rows')} ${verb}`
  }

  /** A line of text for each of the first ones, and how many more there are. */
  get report(): string {
    const more = this.count - MAX_REPORTED
    return [...this.#first, ...(more > 0 ? [`… and ${grouped(more)} more`] : [])].join('\n')
  }
}
