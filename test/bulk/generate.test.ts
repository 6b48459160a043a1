// slow: each command is a process
import type { ChildProcess } from 'node:child_process'
import t from 'tap'
import type { EmployeeCreate } from '../../src/employees/schemas.js'
import { onSqlite } from '../support/any-database.js'
import { build } from '../support/build.js'
import type { Shell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { versions } from '../support/view-versions.js'
import { Workplace } from '../support/workplace.js'

const A_CLERK = "INSERT INTO employees (name, salary, department) VALUES ('Clerk', 1, 'Sales')"

t.test('the same seed makes the same people, and another makes others', async (t) => {
  const people = async (seed: string) => {
    const work = await Workplace.create(t)
    const { code, stdout } = await work.run('generate', '--employees', '1234', '--seed', seed)
    t.match(stdout, /^1,234 employees in \d+\.\d s \([\d,]+\/s\)\n$/)
    t.equal(code, 0)
    const employees = await work.employees()
    t.equal(employees.length, 1234)
    return JSON.stringify(employees)
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
    const shell = await work.shell()
    const one = async (what: string) => {
      const [row] = await shell.all<{ value: number }>(`SELECT ${what} AS value FROM employees`)
      return row?.value as number
    }
    t.equal(await one('count(DISTINCT department)'), 300)
    t.ok((await one("count(CASE department WHEN 'Engineering' THEN 1 END)")) > 100)
    const share = await one('avg(CASE WHEN salary > 100000 THEN 1e0 ELSE 0e0 END)')
    t.ok(share > 0.05 && share < 0.12, `${share}`)
    t.ok((await one('max(salary)')) > 300_000)
    const distinct = await one('count(DISTINCT salary)')
    t.ok(distinct < 15_000, `some earn the same: ${distinct}`)
    const shown = await shell.all('SELECT id FROM top2_by_dept')
    t.ok(shown.length < 620, 'few of them at the top of a department')
  },
)

t.test('no department stays empty while there are people for it', async (t) => {
  const work = await Workplace.create(t)
  await work.run('generate', '--employees', '60', '--departments', '50')
  const shell = await work.shell()
  t.equal((await shell.all('SELECT DISTINCT department FROM employees')).length, 50)
})

t.test('a running service answers right after it, with new versions', async (t) => {
  const work = await Workplace.create(t)
  const app = await build(t, { databaseUrl: work.databaseUrl })
  const shell = await work.shell()
  const showsAll = async () => {
    for (const { view, path } of shownViews) {
      t.same((await app.inject(path)).json(), await expectedRows(shell, view), view.name)
    }
  }
  await showsAll()
  t.same((await app.inject('/employees/high-salary')).json(), [])
  const before = await versions(shell)
  await work.run('generate', '--employees', '500', '--departments', '3')

  const after = await versions(shell)
  for (const { view } of shownViews) t.not(after[view.name], before[view.name], view.name)
  await showsAll()
  t.not(after.high_salary_emps, after.top2_by_dept)
  const people = (await app.inject('/employees')).json()
  const high = people.filter(({ salary }: EmployeeCreate) => salary > 100_000)
  t.same((await app.inject('/employees/high-salary')).json(), high)
  t.ok((await app.inject('/employees/top2-by-department')).json().length >= 6)
})

t.test('killed in the middle, it leaves all as it was', async (t) => {
  const work = await Workplace.create(t)
  const shell = await work.shell()
  await shell.run(A_CLERK)
  const before = await state(shell)
  const kill = (child: ChildProcess) => child.kill('SIGKILL')
  const ended = await work.runUntil('Generating: 50 %', kill, 'generate', '--employees', '300000')
  t.equal(ended.code, null)
  t.same(await state(shell), before)
  if (shell.dialect === 'sqlite') {
    t.same(await shell.all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }])
  }
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal}, however late, leaves all as it was, and says so`, async (t) => {
    const work = await Workplace.create(t)
    const shell = await work.shell()
    await shell.run(A_CLERK)
    const before = await state(shell)
    const stop = (child: ChildProcess) => child.kill(signal)
    for (const said of ['Generating: 30 %', 'Indexing']) {
      const ended = await work.runUntil(said, stop, 'generate', '--employees', '30000')
      t.equal(ended.code, exitCode)
      t.equal(ended.stdout, '')
      t.match(ended.stderr, /\nStopped: nothing was changed\n$/)
      t.same(await state(shell), before)
    }
  })
}

t.test('an error of the database ends with 1 and a message', onSqlite, async (t) => {
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

/** All that a bulk load may change; of the employees a summary, since a difference may be large. */
async function state(shell: Shell) {
  const employees = await shell.all(
    'SELECT count(*) AS count, max(id) AS last, sum(salary) AS pay FROM employees',
  )
  const schema = await shell.all(SCHEMA[shell.dialect])
  return { employees, versions: await versions(shell), schema }
}

const SCHEMA = {
  sqlite: 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name',
  postgres: `SELECT indexdef FROM pg_indexes WHERE tablename = 'employees'
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'employees'::regclass ORDER BY 1`,
}
