import { counted, Stopped } from '../commands/command.js'
import type { Database } from '../store/database.js'
import { type Checked, type CheckOptions, check } from './check.js'
import { type Loaded, load } from './load.js'
import type { Source } from './source.js'

/**
 * Creates an employee for each row of a file, batch by batch.
 *
 * @throws {Stopped} and errors that say how many rows are in, if any
 */
export async function create(
  db: Database,
  source: Source,
  interrupt: AbortSignal,
  options: CheckOptions,
): Promise<Checked> {
  const checked = await check(source, interrupt, options)
  const loaded = await loadInto(db, source, interrupt)
  const missing = checked.valid - loaded.rows
  if (interrupt.aborted && missing > 0) throw new Stopped(interrupt, kept(loaded))
  if (missing !== 0) throw new Error(`The file was changed while it was read; ${kept(loaded)}`)
  return checked
}

async function loadInto(db: Database, source: Source, interrupt: AbortSignal): Promise<Loaded> {
  const store = db.createStore({})
  try {
    return await load(source, store.employees, interrupt)
  } finally {
    await store.close()
  }
}

function kept({ rows, lastLine }: Loaded): string {
  return rows > 0
    ? `${counted(rows, 'row is', 'rows are')} in, up to line ${lastLine} of the file`
    : 'nothing was imported'
}
