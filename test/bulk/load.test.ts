// slow: each command is a process
import type { ChildProcess } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import { load } from '../../src/bulk/load.js'
import { Source } from '../../src/bulk/source.js'
import type { EmployeeCreate } from '../../src/employees/schemas.js'
import { patiently } from '../../src/store/patiently.js'
import { onSqlite } from '../support/any-database.js'
import { outcome } from '../support/outcome.js'
import { Workplace } from '../support/workplace.js'

const HEADER = 'name,salary,department\n'

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  const interrupt = (child: ChildProcess) => child.kill(signal)

  t.test(
    `${signal} stops between two batches and says how many rows are in`,
    onSqlite,
    async (t) => {
      const work = await Workplace.create(t)
      const path = await work.file('people.csv', HEADER + 'Ada,1,E\n'.repeat(100_000))
      const { code, stdout, stderr } = await work.runUntil('Importing:', interrupt, 'import', path)
      t.equal(code, exitCode)
      t.equal(stdout, '')
      const said = Number(/Stopped: ([\d,]+) rows are in/.exec(stderr)?.[1]?.replaceAll(',', ''))
      t.equal((await work.employees()).length, said)
      t.ok(said < 100_000 && said % 5000 === 0, `${said} rows are whole batches, and not all`)
    },
  )

  t.test(`${signal} while the file is checked leaves the database alone`, async (t) => {
    const work = await Workplace.create(t)
    const path = await work.file('people.csv', HEADER + 'Ada,1,E\n'.repeat(100_000))
    const { code, stderr } = await work.runUntil('Checking:', interrupt, 'import', path)
    t.equal(code, exitCode)
    t.match(stderr, /Stopped: nothing was imported\n$/)
    t.notMatch(stderr, 'Checking: 90 %')
    t.same(await work.employees(), [])
  })

  t.test(`${signal} while the command is loaded leaves the database alone`, async (t) => {
    const work = await Workplace.create(t)
    const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
    const { code, stdout, stderr } = await outcome(
      work.startWith(signalAtDescription(signal), 'import', path),
    )
    t.same(
      { code, stdout, stderr },
      { code: exitCode, stdout: '', stderr: 'Stopped: nothing was imported\n' },
    )
    t.same(await work.employees(), [])
  })
}

/** A module for a process that gets a signal when it says what its command is for, before it runs it. */
function signalAtDescription(signal: string): string {
  const source = `
    import { Command } from '${import.meta.resolve('commander')}'
    const { description } = Command.prototype
    Command.prototype.description = function (text) {
      process.kill(process.pid, '${signal}')
      return description.call(this, text)
    }`
  return `data:text/javascript,${encodeURIComponent(source)}`
}

t.test('Ctrl-C is heard between any two batches', async (t) => {
  const work = await Workplace.create(t)
  // Short enough to be read in one piece.
  const path = await work.file('people.csv', `salary,department\n${'1,E\n'.repeat(15_000)}`)
  const source = await Source.open(path, {})
  t.teardown(() => source.close())
  const interrupt = new AbortController()
  const store = {
    async createMany() {
      // As late as a signal can come.
      setImmediate(() => interrupt.abort())
    },
  }
  t.same(await load(source, store, interrupt.signal), { rows: 5000, lastLine: 5001 })
})

t.test('a file that changes between the check and the import is an error', onSqlite, async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', HEADER + 'Ada,1,E\n'.repeat(100_000))
  const append = () => appendFileSync(path, 'Bob,1,E\n')
  t.match(await work.runUntil('Importing:', append, 'import', path), {
    code: 1,
    stderr:
      'The file was changed while it was read; 100,001 rows are in, up to line 100002 of the file\n',
  })
})

t.test('a batch waits until nobody else holds the database', async (t) => {
  const work = await Workplace.create(t)
  const source = await sourceOf(work, 'Ada,1,E\n'.repeat(5001))
  t.teardown(() => source.close())
  const busy = Object.assign(new Error('later'), {
    cause: new Sqlite.SqliteError('database is locked', 'SQLITE_BUSY'),
  })
  const answers = [busy, undefined, busy, busy, undefined]
  const sizes: number[] = []
  const store = {
    async createMany(batch: Iterable<EmployeeCreate>) {
      sizes.push([...batch].length)
      const error = answers.shift()
      if (error) throw error
    },
  }
  t.same(await load(source, store, new AbortController().signal), { rows: 5001, lastLine: 5002 })
  t.same(sizes, [5000, 5000, 1, 1, 1])
})

t.test('Ctrl-C is heard while somebody else holds the database', async (t) => {
  const interrupt = new AbortController()
  let attempts = 0
  const attempt = () => {
    if (++attempts === 2) interrupt.abort()
    throw new Sqlite.SqliteError('database is locked', 'SQLITE_BUSY')
  }
  t.equal(await patiently(attempt, interrupt.signal), false)
  t.equal(attempts, 2)
})

t.test('an error of the database tells which rows are in already', async (t) => {
  const work = await Workplace.create(t)
  const source = await sourceOf(work, 'Ada,1,E\n'.repeat(12_000))
  t.teardown(() => source.close())
  let batches = 0
  const store = {
    async createMany() {
      if (++batches === 2) throw new Error('disk full')
    },
  }
  await t.rejects(load(source, store, new AbortController().signal), {
    message: 'disk full\n5,000 rows are in, up to line 5001 of the file',
  })
})

async function sourceOf(work: Workplace, rows: string): Promise<Source> {
  return Source.open(await work.file('people.csv', HEADER + rows), {})
}
