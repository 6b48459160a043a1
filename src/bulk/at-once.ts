import { complain, counted, grouped, Stopped } from '../commands/command.js'
import type { Changes, Key, Some, Staging } from '../store/bulk.js'
import { type Checked, type CheckOptions, check } from './check.js'
import { Faults, MAX_REPORTED } from './faults.js'
import { startProgress } from './progress.js'
import type { Source } from './source.js'

/**
 * Writes what was staged of the rows of a file: all of it or nothing, in one transaction. With a key, an
 * employee that somebody else creates or renames in between would be created again otherwise.
 *
 * @param key by which the staging tells employees apart
 * @throws {Stopped} and an error for rows that could mean several employees
 */
export async function importAtOnce(
  staging: Staging,
  source: Source,
  interrupt: AbortSignal,
  { key, ...options }: CheckOptions & { key?: Key | undefined },
): Promise<Checked & Changes> {
  try {
    const checked = await check(source, interrupt, {
      ...options,
      onValid: (line, employee) => staging.add({ line, ...employee }),
    })
    const by = key?.join(' and ') ?? ''
    const { valid } = checked
    assertNone(await staging.repeated(MAX_REPORTED), valid, `${by} of an earlier row`, (row) => {
      return `the same ${by} as on line ${row.earlier}`
    })
    await staging.begin()
    assertNone(
      await staging.ambiguous(MAX_REPORTED),
      valid,
      `${by} of several employees`,
      (row) => {
        const several = `${grouped(row.employees)} employees have this ${by}`
        return `${several}, the first with id ${row.first}`
      },
    )
    const changes = await write(staging, valid)
    await staging.commit()
    return { ...checked, ...changes }
  } catch (error) {
    throw interrupt.aborted ? new Stopped(interrupt, 'nothing was imported') : error
  }
}

/** @throws an error that says what the rows have, if there are any */
function assertNone<Row extends { line: number }>(
  { count, first }: Some<Row>,
  valid: number,
  what: string,
  fault: (row: Row) => string,
): void {
  if (count === 0) return
  const faults = new Faults()
  for (const row of first) faults.add(row.line, fault(row))
  faults.count = count
  complain(faults.report)
  throw new Error(`${faults.of(valid, 'has', 'have')} the ${what}, so nothing was imported`)
}

async function write(staging: Staging, rows: number): Promise<Changes> {
  console.error(`Importing ${counted(rows, 'row', 'rows')} at once`)
  const progress = startProgress('Importing', rows)
  try {
    return await staging.write((done) => progress.update(done))
  } finally {
    progress.stop()
  }
}
