import { setImmediate, setTimeout } from 'node:timers/promises'
import { grouped } from '../commands/command.js'
import type { EmployeeCreate } from '../employees/schemas.js'
import { isLocked } from '../store/sqlite/errors.js'
import type { EmployeeStore } from '../store/store.js'
import type { Source } from './source.js'

/** Rows in a transaction: few enough that the service's own writes get in between. */
const BATCH = 5000
/** The store waits for a lock only as long as a client does; `npm run generate` may hold it longer. */
const PATIENCE_MS = 60_000
const RETRY_MS = 50

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
      if (!(await write(store, employees, interrupt))) break
      loaded.rows += employees.length
      loaded.lastLine = line
      // Several batches can come out of one piece of the file: Ctrl-C is heard between them.
      await setImmediate()
    }
  } catch (error) {
    if (loaded.rows === 0) throw error
    const state = `${grouped(loaded.rows)} rows are in, up to line ${loaded.lastLine} of the file`
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

/** Says whether the batch was written; false if there was an interrupt before. */
async function write(
  store: Store,
  batch: EmployeeCreate[],
  interrupt: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS
  while (!interrupt.aborted) {
    try {
      await store.createMany(batch)
      return true
    } catch (error) {
      if (!isLocked((error as Error).cause) || performance.now() > deadline) throw error
    }
    await setTimeout(RETRY_MS)
  }
  return false
}
