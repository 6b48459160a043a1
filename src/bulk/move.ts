import '../runtime.js'
import '../commands/interrupt.js'

import { Command } from 'commander'
import { ConfigError, counted, rate, run, Stopped } from '../commands/command.js'
import { interrupt } from '../commands/interrupt.js'
import { type Summary, Summing } from '../store/move.js'
import { MoveTarget } from '../store/postgres/moving.js'
import { MovedDatabase } from '../store/sqlite/moving.js'
import { startProgress } from './progress.js'

/** Rows between two looks at the progress. */
const STEP = 10_000

const HELP = `
Employees with their ids, the id that comes next, and idempotency keys, of which a POST that is sent again
is answered as before. All or nothing, in one transaction of the target, which must be a database without
employees. What was written is read back, and compared by its number and by a sum over all of it.

Stop the service first, and start it over the new database then: if somebody writes to the file meanwhile,
nothing is moved. The file stays as it is.

Example:
  npm run move -- --from file:data/employees.db --to postgres://employees:secret@db1/employees`

const command = new Command('npm run move --')
  .description('Moves a SQLite database to PostgreSQL.')
  .requiredOption('--from <url>', 'file:PATH')
  .requiredOption('--to <url>', 'postgres://USER:PASSWORD@HOST:PORT/DATABASE')
  .addHelpText('after', HELP)
  .action(move)

await run(command)

async function move({ from, to }: { from: string; to: string }): Promise<void> {
  // Not by the parser: it would show the value, in which there may be a password.
  if (!from.startsWith('file:')) {
    throw new ConfigError('--from must be file:PATH: from SQLite alone is moved')
  }
  if (!/^postgres(?:ql)?:/.test(to)) {
    throw new ConfigError(
      '--to must be postgres://USER:PASSWORD@HOST:PORT/DATABASE: to PostgreSQL alone is moved',
    )
  }
  const start = performance.now()
  const source = MovedDatabase.open(from)
  try {
    const { employees, keys, sha256 } = await moveTo(to, source)
    const what = `${counted(employees, 'employee', 'employees')} and ${counted(keys, 'idempotency key', 'idempotency keys')}`
    console.log(`moved ${what} in ${rate(employees, start)}`)
    console.log(`SHA-256 of all, on both sides: ${sha256}`)
  } catch (error) {
    throw interrupt.aborted ? new Stopped(interrupt, 'nothing was moved') : error
  } finally {
    source.close()
  }
}

async function moveTo(url: string, source: MovedDatabase): Promise<Summary> {
  const target = await MoveTarget.open(url, interrupt)
  try {
    const given = await carry(source, target)
    const found = await readBack(target, source.count)
    assertSame(given, found)
    if (source.isChanged) {
      throw new Error(
        'Somebody has written to the file meanwhile, so nothing was moved: stop the service, and move it then',
      )
    }
    await target.commit(source.lastId)
    return found
  } finally {
    await target.close()
  }
}

/** @returns what was read from the source */
async function carry(source: MovedDatabase, target: MoveTarget): Promise<Summary> {
  const summing = new Summing()
  const progress = startProgress('Moving', source.count)
  let count = 0
  try {
    await target.employees(
      seen(source.employees(), (row) => {
        summing.employee(row)
        if (++count % STEP === 0) progress.update(count)
      }),
    )
    await target.keys(
      seen(source.keys(), (row) => summing.key(row)),
      source.secret,
    )
  } finally {
    progress.stop()
  }
  return summing.end()
}

async function readBack(target: MoveTarget, count: number): Promise<Summary> {
  const progress = startProgress('Comparing', count)
  try {
    return await target.summary((done) => progress.update(done))
  } finally {
    progress.stop()
  }
}

function assertSame(given: Summary, found: Summary): void {
  const [one, other] = [told(given), told(found)]
  if (one === other) return
  throw new Error(
    `What was read back is not what was read, so nothing was moved:\nfrom ${one}\nto   ${other}`,
  )
}

function told({ employees, keys, sha256 }: Summary): string {
  return `${counted(employees, 'employee', 'employees')}, ${counted(keys, 'key', 'keys')}, SHA-256 ${sha256}`
}

function* seen<T>(rows: Iterable<T>, look: (row: T) => void): Generator<T> {
  for (const row of rows) {
    look(row)
    yield row
  }
}
