import { setImmediate } from 'node:timers/promises'
import { complain, grouped, Stopped } from '../commands/command.js'
import { BulkUpdate, type Changes, type Key } from '../store/sqlite/bulk-update.js'
import { asDatabaseError } from '../store/sqlite/errors.js'
import type { Drizzle } from '../store/sqlite/open.js'
import { type Checked, type CheckOptions, check } from './check.js'
import { Faults } from './faults.js'
import { patiently } from './patiently.js'
import { startProgress } from './progress.js'
import type { Source } from './source.js'

/** Rows between two turns of the event loop, in which a signal is heard. */
const TURN = 5000

/**
 * Brings the employees that have the key of a row up to date with it, and creates those that no
 * employee has: all of it or nothing, in one transaction, since an employee that somebody else creates or
 * renames in between would be created again.
 *
 * @throws {Stopped} and an error for rows that could mean several employees
 */
export async function update(
  db: Drizzle,
  source: Source,
  interrupt: AbortSignal,
  { key, ...options }: CheckOptions & { key: Key },
): Promise<Checked & Changes> {
  const by = key.join(' and ')
  const staged = new BulkUpdate(db.$client, key)
  try {
    const checked = await stage(source, staged, interrupt, { ...options, by })
    if (!(await patiently(() => staged.begin(), interrupt))) throw stopped(interrupt)
    assertClear(staged, checked.valid, by)
    const changes = await write(staged, checked.valid, interrupt)
    staged.end(true)
    return { ...checked, ...changes }
  } catch (error) {
    throw asDatabaseError(error)
  } finally {
    staged.end(false)
  }
}

/** @throws an error if two rows have the same key, and those of {@link check} */
async function stage(
  source: Source,
  staged: BulkUpdate,
  interrupt: AbortSignal,
  { by, ...options }: CheckOptions & { by: string },
): Promise<Checked> {
  const faults = new Faults()
  const checked = await check(source, interrupt, {
    ...options,
    onValid(line, employee) {
      const earlier = staged.stage({ line, ...employee })
      if (earlier !== undefined) faults.add(line, `the same ${by} as on line ${earlier}`)
    },
  })
  if (faults.count === 0) return checked
  complain(faults.report)
  const rows = faults.of(checked.valid, 'has', 'have')
  throw new Error(`${rows} the ${by} of an earlier row, so nothing was imported`)
}

/** @throws an error if a row could mean several employees */
function assertClear(staged: BulkUpdate, valid: number, by: string): void {
  const faults = new Faults()
  for (const { line, employees, first } of staged.match()) {
    const several = `${grouped(employees)} employees have this ${by}`
    faults.add(line, `${several}, the first with id ${first}`)
  }
  if (faults.count === 0) return
  complain(faults.report)
  const rows = faults.of(valid, 'has', 'have')
  throw new Error(`${rows} the ${by} of several employees, so nothing was imported`)
}

async function write(staged: BulkUpdate, rows: number, interrupt: AbortSignal): Promise<Changes> {
  const changes = { created: 0, updated: 0, unchanged: 0 }
  const progress = startProgress('Importing', rows)
  try {
    let line: number | undefined = 0
    for (let done = 0; line !== undefined; done += TURN) {
      progress.update(done)
      line = staged.write(line, TURN, changes)
      await setImmediate()
      if (interrupt.aborted) throw stopped(interrupt)
    }
  } finally {
    progress.stop()
  }
  return changes
}

function stopped(interrupt: AbortSignal): Stopped {
  return new Stopped(interrupt, 'nothing was imported')
}
