import { complain, Stopped } from '../commands/command.js'
import type { EmployeeCreate } from '../employees/schemas.js'
import { Faults } from './faults.js'
import type { Source } from './source.js'

export interface Checked {
  valid: number
  invalid: number
  /** Names and departments that had spaces around them. */
  trimmed: number
}

export interface CheckOptions {
  /** Rows may be invalid, as long as not all of them are. */
  skipInvalid?: true | undefined
  /** Is given each row that is valid; the next one waits for its promise. */
  onValid?: (line: number, employee: EmployeeCreate) => Promise<void> | undefined
}

/**
 * Reads the whole file and judges every row of it; those that are invalid are told on stderr.
 *
 * @throws {Stopped} at an interrupt, and an error when the rows are not to be imported
 */
export async function check(
  source: Source,
  interrupt: AbortSignal,
  { skipInvalid, onValid }: CheckOptions,
): Promise<Checked> {
  const checked = { valid: 0, trimmed: 0 }
  const faults = new Faults()
  for await (const row of source.rows('Checking')) {
    if (interrupt.aborted) break
    if ('faults' in row) {
      faults.add(row.line, row.faults.join('; '))
      continue
    }
    checked.valid++
    checked.trimmed += row.trimmed
    const taken = onValid?.(row.line, row.employee)
    if (taken) await taken
  }
  const { count } = faults
  if (count > 0) complain(faults.report)
  if (interrupt.aborted) throw new Stopped(interrupt, 'nothing was imported')
  const rows = checked.valid + count
  if (rows === 0) throw new Error(`${source.path} has no rows, so nothing was imported`)
  if (count > 0 && (!skipInvalid || count === rows)) {
    const hint = count < rows ? '; --skip-invalid leaves such rows out' : ''
    const state = faults.of(rows, 'is invalid', 'are invalid')
    throw new Error(`${state}, so nothing was imported${hint}`)
  }
  return { ...checked, invalid: count }
}
