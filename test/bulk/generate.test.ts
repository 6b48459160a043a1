// slow: each command is a process
// no database: the tools work on SQLite alone
import type { ChildProcess } from 'node:child_process'
import t from 'tap'
import type { EmployeeCreate } from '../../src/employees/schemas.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import type { Drizzle } from '../../src/store/sqlite/open.js'
import { versions } from '../store/sqlite/versions.js'
import { build } from '../support/build.js'
import { memoryDatabase } from '../support/memory-database.js'
import { sqliteShell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { sqliteOf } from '../support/sqlite-of.js'
import { Workplace } from '../support/workplace.js'

const clerk = { name: 'Clerk', salary: 1, department: 'Sales' }

t.test('the same seed makes the same people, and another makes others', async (t) => {
  const people = async (seed: string) => {
    const work = await Workplace.create(t)
    const { code, stdout } = await work.run('generate', '--employees', '1234', '--seed', seed)
    t.match(stdout, /^1,234 employees in \d+\.\d s \([\d,]+\/s\)\n$/)
    t.equal(code, 0)
    t.equal(work.employees().length, 1234)
    return JSON.stringify(work.employees())
  }
  const first = await people('7')
  t.ok((await people('7')) === first)
  t.not(await people('8'), first)
})

t.test(
  'departments are as many as asked for, and about one in ten earns over 100,000',
  async (t) => {
    const work = await Workplace.create(t)
    await work.run('generate', '--employees', '20000', '--departments', '300')
    const client = work.open()
    const one = (sql: string) => client.prepare(sql).pluck().get() as number
    t.equal(one('SELECT count(DISTINCT department) FROM employees'), 300)
    t.equal(one("SELECT count(*) > 100 FROM employees WHERE department = 'Engineering'"), 1)
    const share = one('SELECT avg(salary > 100000) FROM employees')
    t.ok(share > 0.05 && share < 0.12, `${share}`)
    t.ok(one('SELECT max(salary) FROM employees') > 300_000)
    const distinct = one('SELECT count(DISTINCT salary) FROM employees')
    t.ok(distinct < 15_000, `some earn the same: ${distinct}`)
    t.ok(one('SELECT count(*) FROM top2_by_dept') < 620, 'few of them at the top of a department')
  },
)

t.test('no department stays empty while there are people for it', async (t) => {
  const work = await Workplace.create(t)
  await work.run('generate', '--employees', '60', '--departments', '50')
  const departments = work
    .open()
    .prepare('SELECT count(DISTINCT department) FROM employees')
    .pluck()
  t.equal(departments.get(), 50)
})

t.test('a running service answers right after it, with new versions', async (t) => {
  const work = await Workplace.create(t)
  const app = await build(t, { databaseUrl: work.databaseUrl })
  const client = sqliteOf(app.db)
  const showsAll = async () => {
    for (const { view, path } of shownViews) {
      t.same(
        (await app.inject(path)).json(),
        await expectedRows(sqliteShell(client), view),
        view.name,
      )
    }
  }
  await showsAll()
  t.same((await app.inject('/employees/high-salary')).json(), [])
  const before = versions(client)
  await work.run('generate', '--employees', '500', '--departments', '3')

  const after = versions(client)
  for (const { view } of shownViews) t.not(after[view.name], before[view.name], view.name)
  await showsAll()
  t.not(after.high_salary_emps, after.top2_by_dept)
  const people = (await app.inject('/employees')).json()
  const high = people.filter(({ salary }: EmployeeCreate) => salary > 100_000)
  t.same((await app.inject('/employees/high-salary')).json(), high)
  t.ok((await app.inject('/employees/top2-by-department')).json().length >= 6)
})

t.test('indexes and triggers are back after a bulk load, and work', async (t) => {
  const client = memoryDatabase(t)
  const before = schema(client)
  t.equal(await bulkLoad(client, Array(120).fill(clerk)), 120)
  t.same(schema(client), before)

  const loaded = versions(client)
  add(client, clerk)
  t.same(versions(client).high_salary_emps, loaded.high_salary_emps, 'a clerk is not in this view')
  add(client, { ...clerk, salary: 200_000 })
  t.not(versions(client).high_salary_emps, loaded.high_salary_emps)
  t.not(versions(client).top2_by_dept, loaded.top2_by_dept)
  t.throws(() => client.exec('UPDATE employees SET id = 1000 WHERE id = 1'), /keeps its id/)
  t.same(client.pragma('integrity_check', { simple: true }), 'ok')
})

t.test('a bulk load that fails leaves all as it was', async (t) => {
  const client = memoryDatabase(t)
  add(client, clerk)
  const before = state(client)
  function* failing() {
    yield* Array(120).fill(clerk)
    throw new Error('no more')
  }
  await t.rejects(bulkLoad(client, failing()), /no more/)
  t.same(state(client), before)
  await t.rejects(bulkLoad(client, [clerk, { ...clerk, salary: -1 }]), /CHECK/)
  t.same(state(client), before)
  add(client, { ...clerk, salary: 200_000 })
  t.not(versions(client).high_salary_emps, before.versions.high_salary_emps)
})

t.test('until a bulk load is done, a reader sees the old rows with the old versions', async (t) => {
  const work = await Workplace.create(t)
  const reader = work.open()
  add(reader, clerk)
  const before = state(reader)
  function* watched() {
    for (let count = 0; count < 120; count++) {
      if (count % 50 === 0) t.same(state(reader), before)
      yield { ...clerk, salary: 200_000 }
    }
    t.same(state(reader), before)
  }
  await bulkLoad(work.open(), watched())
  t.equal(state(reader).employees.count, 121)
  t.not(versions(reader).high_salary_emps, before.versions.high_salary_emps)
})

t.test('killed in the middle, it leaves all as it was', async (t) => {
  const work = await Workplace.create(t)
  const client = work.open()
  add(client, clerk)
  const before = state(client)
  const kill = (child: ChildProcess) => child.kill('SIGKILL')
  const ended = await work.runUntil('Generating: 50 %', kill, 'generate', '--employees', '300000')
  t.equal(ended.code, null)
  t.same(state(client), before)
  t.equal(client.pragma('integrity_check', { simple: true }), 'ok')
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal}, however late, leaves all as it was, and says so`, async (t) => {
    const work = await Workplace.create(t)
    const client = work.open()
    add(client, clerk)
    const before = state(client)
    const stop = (child: ChildProcess) => child.kill(signal)
    for (const said of ['Generating: 30 %', 'Sorting the indexes']) {
      const ended = await work.runUntil(said, stop, 'generate', '--employees', '30000')
      t.equal(ended.code, exitCode)
      t.equal(ended.stdout, '')
      t.match(ended.stderr, /\nStopped: nothing was changed\n$/)
      t.same(state(client), before)
    }
  })
}

t.test('an error of the database ends with 1 and a message', async (t) => {
  const work = await Workplace.create(t)
  await work.file('employees.db', 'no database '.repeat(100))
  const { code, stdout, stderr } = await work.run('generate', '--employees', '5')
  t.match(stderr, 'is no SQLite database')
  t.equal(stdout, '')
  t.equal(code, 1)
})

t.test(
  '--help explains the command; a wrong option is named with its value and rule',
  async (t) => {
    const work = await Workplace.create(t)
    const { code, stdout } = await work.run('generate', '--help')
    t.equal(code, 0)
    for (const part of ['--employees', '--departments', '--seed', 'Exit code: 0 done', 'Example']) {
      t.match(stdout, part)
    }
    const missing = { code: 2, stderr: "required option '--employees <count>' not specified" }
    t.match(await work.run('generate'), missing)
    const more = await work.run('generate', '--employees', '5', '6')
    t.match(more, { code: 2, stderr: 'too many arguments' })
    for (const [option, value] of [
      ['--employees', '0'],
      ['--employees', '-5'],
      ['--employees', '1e3'],
      ['--departments', '2.5'],
      ['--seed', 'x'],
    ] as const) {
      const { code, stderr } = await work.run('generate', '--employees', '5', option, value)
      t.equal(code, 2)
      t.match(stderr, `${option} <`)
      t.match(stderr, `'${value}' is invalid. It must be an integer from`)
    }
  },
)

type Client = Drizzle['$client']

function add(client: Client, { name, salary, department }: EmployeeCreate): void {
  client
    .prepare('INSERT INTO employees (name, salary, department) VALUES (?, ?, ?)')
    .run(name, salary, department)
}

function schema(client: Client): unknown[] {
  return client
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .all()
}

/** All that a bulk load may change; of the employees a summary, since a difference may be large. */
function state(client: Client) {
  const employees = client
    .prepare('SELECT count(*) AS count, max(id) AS last, total(salary) AS pay FROM employees')
    .get() as { count: number }
  return { employees, versions: versions(client), schema: schema(client) }
}
