import { grouped } from '../commands/command.js'
import type { Source } from './source.js'

export interface Checked {
  rows: number
  invalid: number
  /** The first invalid rows, a line of text for each, and how many more there are. */
  report: string[]
}

const MAX_REPORTED = 20

/**
 * Reads the whole file and judges every row of it.
 *
 * @param interrupt ends it early
 */
export async function check(source: Source, interrupt: AbortSignal): Promise<Checked> {
  const checked: Checked = { rows: 0, invalid: 0, report: [] }
  for await (const row of source.rows('Checking')) {
    if (interrupt.aborted) break
    checked.rows++
    if ('employee' in row) continue
    checked.invalid++
    if (checked.invalid > MAX_REPORTED) continue
    checked.report.push(`line ${row.line}: ${row.faults.join('; ')}`)
  }
  const more = checked.invalid - MAX_REPORTED
  if (more > 0) checked.report.push(`… and ${grouped(more)} more`)
  return checked
}
