// slow: each command is a process
import type { ChildProcess } from 'node:child_process'
import t from 'tap'
import { dialect } from '../support/any-database.js'
import { build } from '../support/build.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { versions } from '../support/view-versions.js'
import { Workplace } from '../support/workplace.js'

const HEADER = 'name,salary,department\n'
/** What is said when some rows are written, or all of them are being. */
const MIDDLE = { sqlite: 'Importing: 30 %', postgres: 'Importing 30,000 rows at once' }
const KEY = ['--update-by', 'name,department']

t.test('a second import must say what is to become of those who are there', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\nBob,2,S\n`)
  t.equal((await work.run('import', path)).code, 0)
  const { code, stdout, stderr } = await work.run('import', path)
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(
    stderr,
    /^2 employees are there already, so nothing was imported: --append .*, --update-by name,department .*\n$/,
  )
  t.equal((await work.employees()).length, 2)

  t.match(await work.run('import', path, '--append'), { code: 0, stdout: 'imported 2 in ' })
  t.equal((await work.employees()).length, 4)
})

t.test('an empty database needs neither flag, and takes both', async (t) => {
  for (const flags of [[], ['--append'], KEY]) {
    const work = await Workplace.create(t)
    const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
    t.equal((await work.run('import', path, ...flags)).code, 0)
    t.same(await work.employees(), [['Ada', 1, 'E']])
  }
})

const isLinux = process.platform === 'linux'
t.test('on a terminal it asks', { skip: !isLinux && 'no script(1) of util-linux' }, async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
  await work.run('import', path)
  for (const [typed, code, said] of [
    ['\n', 1, 'Nothing was imported'],
    ['no\n', 1, 'Nothing was imported'],
    ['\x04', 1, 'Nothing was imported'],
    ['\x03', 130, 'Stopped: nothing was imported'],
  ] as const) {
    const ended = await work.runOnTerminal(typed, 'import', path)
    t.match(ended, { code, stdout: said }, JSON.stringify(typed))
    t.match(ended.stdout, `1 employee is there already. Create all of ${path} besides? [y/N] `)
    t.equal((await work.employees()).length, 1)
  }
  t.match(await work.runOnTerminal('y\n', 'import', path), { code: 0, stdout: 'imported 1 in' })
  t.equal((await work.employees()).length, 2)
})

t.test(
  '--update-by updates who is different, creates who is new, and can be repeated',
  async (t) => {
    const work = await Workplace.create(t)
    const first = await work.file('first.csv', `${HEADER}Ada,1,E\nBob,2,S\nAda,3,S\n`)
    await work.run('import', first)
    const second = await work.file('second.csv', `${HEADER}Bob,2,S\nEve,4,E\nx,bad,E\nAda,5,E\n`)
    t.match(await work.run('import', second, ...KEY, '--skip-invalid'), {
      code: 0,
      stdout: 'created 1, updated 1, unchanged 1, skipped 1 in ',
    })
    const people = [
      ['Ada', 5, 'E'],
      ['Bob', 2, 'S'],
      ['Ada', 3, 'S'],
      ['Eve', 4, 'E'],
    ]
    t.same(await work.employees(), people)
    const again = await work.run('import', second, ...KEY, '--skip-invalid')
    t.match(again, { code: 0, stdout: 'created 0, updated 0, unchanged 3, skipped 1 in ' })
    t.same(await work.employees(), people)
  },
)

t.test('--update-by name moves people to other departments', async (t) => {
  const work = await Workplace.create(t)
  await work.run('import', await work.file('first.csv', `${HEADER}Ada,1,E\nBob,2,S\n`))
  const second = await work.file('second.ndjson', '{"name":"Ada","salary":1,"department":"S"}')
  const { stdout } = await work.run('import', second, '--update-by', 'name')
  t.match(stdout, 'created 0, updated 1, unchanged 0 in ')
  t.same(await work.employees(), [
    ['Ada', 1, 'S'],
    ['Bob', 2, 'S'],
  ])
})

t.test('who is unchanged is not written, and cached views keep their versions', async (t) => {
  const work = await Workplace.create(t)
  const app = await build(t, { databaseUrl: work.databaseUrl })
  const shell = await work.shell()
  const path = await work.file('people.csv', `${HEADER}Ada,150000,E\nBob,2,E\nEve,1,E\n`)
  await work.run('import', path)
  await shell.run(NOTE_UPDATES[shell.dialect])
  const written = () => shell.all('SELECT id FROM written')
  const before = await versions(shell)
  t.match(await work.run('import', path, ...KEY), { stdout: 'unchanged 3 in ' })
  t.same(await written(), [])
  t.same(await versions(shell), before)

  // Eve is in no view, before and after.
  await work.file('people.csv', `${HEADER}Ada,150000,E\nBob,2,E\nEve,1.5,E\n`)
  t.match(await work.run('import', path, ...KEY), { stdout: 'updated 1, unchanged 2 in ' })
  t.same(await written(), [{ id: 3 }])
  t.same(await versions(shell), before)

  await work.file('people.csv', `${HEADER}Ada,160000,E\n`)
  t.match(await work.run('import', path, ...KEY), { stdout: 'updated 1, unchanged 0 in ' })
  for (const { view, path } of shownViews) {
    t.not((await versions(shell))[view.name], before[view.name], view.name)
    t.same((await app.inject(path)).json(), await expectedRows(shell, view), view.name)
  }
})

/** Keeps the ids of those who are updated. */
const NOTE_UPDATES = {
  sqlite: `CREATE TABLE written (id);
    CREATE TRIGGER noted AFTER UPDATE ON employees BEGIN INSERT INTO written VALUES (new.id); END`,
  postgres: `CREATE TABLE written (id bigint);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO written VALUES (new.id); RETURN NULL; END';
    CREATE TRIGGER noted AFTER UPDATE ON employees FOR EACH ROW EXECUTE FUNCTION note()`,
}

t.test('rows that could mean several employees are errors, and nothing is imported', async (t) => {
  const work = await Workplace.create(t)
  const twins = `${HEADER}Ada,1,E\nBob,2,S\nAda,3,S\nAda,4,E\n`
  const path = await work.file('people.csv', twins)
  const inFile = await work.run('import', path, ...KEY)
  t.equal(inFile.code, 1)
  t.equal(
    inFile.stderr,
    'line 5: the same name and department as on line 2\n' +
      '1 of 4 rows has the name and department of an earlier row, so nothing was imported\n',
  )
  t.same(await work.employees(), [])

  await work.run('import', path)
  const before = await work.employees()
  await work.file('people.csv', `${HEADER}Zoe,1,E\nAda,5,E\nBob,3,S\nAda,5,S\n`)
  t.match(await work.run('import', path, ...KEY), {
    code: 1,
    stdout: '',
    stderr:
      'line 3: 2 employees have this name and department, the first with id 1\n' +
      '1 of 4 rows has the name and department of several employees, so nothing was imported\n',
  })
  t.same(await work.employees(), before)
})

t.test('without a column of names nobody is updated by name', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', 'salary,department\n1,E\n')
  const stderr = 'The file has no column "name"'
  t.match(await work.run('import', path, ...KEY), { code: 1, stderr })
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal} in the middle of an update leaves all as it was, and says so`, async (t) => {
    const work = await Workplace.create(t)
    const shell = await work.shell()
    await shell.run("INSERT INTO employees (name, salary, department) VALUES ('Ada 7', 1, 'E')")
    const rows = Array.from({ length: 30_000 }, (_, index) => `Ada ${index},2,E\n`)
    const path = await work.file('people.csv', HEADER + rows.join(''))
    const stop = (child: ChildProcess) => child.kill(signal)
    const ended = await work.runUntil(MIDDLE[dialect], stop, 'import', path, ...KEY)
    t.equal(ended.code, exitCode)
    t.equal(ended.stdout, '')
    t.match(ended.stderr, /\nStopped: nothing was imported\n$/)
    t.same(await work.employees(), [['Ada 7', 1, 'E']])
    t.match(await work.run('import', path, ...KEY), { stdout: 'created 29,999, updated 1, ' })
  })
}
