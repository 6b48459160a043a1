import { setImmediate } from 'node:timers/promises'
import { counted } from '../commands/command.js'
import type { EmployeeCreate } from '../employees/schemas.js'
import { patiently } from '../store/patiently.js'
import type { EmployeeStore } from '../store/store.js'
import type { Source } from './source.js'

/** Rows in a transaction: few enough that the service's own writes get in between. */
const BATCH = 5000

type Store = Pick<EmployeeStore, 'createMany'>

/** How far an import has come. */
export interface Loaded {
  rows: number
  /** Of the file: nothing behind it is in. */
  lastLine: number
}

/**
 * Writes the valid rows of a file, batch by batch, each of them durable or not there at all.
 *
 * @param interrupt ends it before the next batch
 * @throws an error that says how many rows are in, unless there are none
 */
export async function load(source: Source, store: Store, interrupt: AbortSignal): Promise<Loaded> {
  const loaded: Loaded = { rows: 0, lastLine: 0 }
  try {
    for await (const { employees, line } of batches(source)) {
      // The store waits for a lock only as long as a client does.
      if (!(await patiently(() => store.createMany(employees), interrupt))) break
      loaded.rows += employees.length
      loaded.lastLine = line
      // Several batches can come out of one piece of the file: Ctrl-C is heard between them.
      await setImmediate()
    }
  } catch (error) {
    if (loaded.rows === 0) throw error
    const state = `${counted(loaded.rows, 'row is', 'rows are')} in, up to line ${loaded.lastLine} of the file`
    throw new Error(`${(error as Error).message}\n${state}`, { cause: error })
  }
  return loaded
}

async function* batches(source: Source) {
  let employees: EmployeeCreate[] = []
  let line = 0
  for await (const row of source.rows('Importing')) {
    if (!('employee' in row)) continue
    employees.push(row.employee)
    line = row.line
    if (employees.length < BATCH) continue
    yield { employees, line }
    employees = []
  }
  if (employees.length > 0) yield { employees, line }
}
