import '../runtime.js'
import '../commands/interrupt.js'

import { Command } from 'commander'
import {
  counted,
  integer,
  openConfiguredDatabase,
  rate,
  run,
  Stopped,
} from '../commands/command.js'
import { interrupt } from '../commands/interrupt.js'
import { type Progress, startProgress } from './progress.js'

/** Rows between two looks at the progress. */
const STEP = 10_000

const HELP = `
All or nothing: they are there when the command is done, and if it is stopped none is. Meanwhile a
service on the database answers every reader, while its writers wait or are told to try again.

Example:
  npm run generate -- --employees 1000000 --departments 100 --seed 1`

const command = new Command('npm run generate --')
  .description('Adds made-up employees to the database that DATABASE_URL names.')
  .requiredOption('--employees <count>', 'how many to add', integer(1, 100_000_000))
  .option('--departments <count>', 'in how many departments', integer(1, 1_000_000), 100)
  .option('--seed <number>', 'the same seed makes the same people', integer(0, 2 ** 32 - 1), 1)
  .addHelpText('after', HELP)
  .action(generate)

await run(command)

async function generate(options: { employees: number; departments: number; seed: number }) {
  const { employees, departments, seed } = options
  const start = performance.now()
  // Faker is large, and is not installed in production.
  const { makePeople } = await import('./people.js')
  const db = await openConfiguredDatabase()
  const progress = startProgress('Generating', employees)
  try {
    await db.bulk.load(watched(makePeople(employees, departments, seed), progress), interrupt)
  } catch (error) {
    throw interrupt.aborted ? new Stopped(interrupt, 'nothing was changed') : error
  } finally {
    progress.stop()
    await db.close()
  }
  console.log(`${counted(employees, 'employee', 'employees')} in ${rate(employees, start)}`)
}

function* watched<T>(rows: Iterable<T>, progress: Progress): Generator<T> {
  let count = 0
  for (const row of rows) {
    yield row
    if (++count % STEP === 0) progress.update(count)
  }
  progress.stop()
  console.error('Indexing')
}
