// slow: each command is a process
// no database: it moves from one to the other
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { bodyHash } from '../../src/store/idempotency-digests.js'
import { type App, build } from '../support/build.js'
import { postgresDatabase } from '../support/postgres-database.js'
import { openShell, type Shell } from '../support/shell.js'
import { shownViews } from '../support/shown-views.js'
import { Workplace } from '../support/workplace.js'

const SECRET = 'do-not-tell'
const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('everybody is there with the same id, name and salary, to the last bit', async (t) => {
  const { work, target, move } = await places(t)
  const names = ['C:\\temp\\new', '\\N', '\\.', '"\'$$', '\u{1f469}\u200d\u{1f680} é', 'Zoë\ufffd']
  const salaries = [0, 5e-324, 1e-7, 0.1 + 0.2, 1 / 3, 99_999.999_999_999_99, 2 ** 39 + 0.3, 1e12]
  const source = await work.shell()
  for (const [index, salary] of salaries.entries()) {
    const name = names[index % names.length]
    await source.all(
      'INSERT INTO employees (id, name, salary, department) VALUES (?, ?, ?, ?)',
      10 * index + 1,
      name,
      salary,
      name,
    )
  }

  const { code, stdout } = await move()
  t.equal(code, 0)
  t.match(stdout, /^moved 8 employees and 0 idempotency keys in .*\nSHA-256 .*: [0-9a-f]{64}\n$/)
  const all = 'SELECT id, name, salary, department FROM employees ORDER BY id'
  t.strictSame(await (await openShell(t, target)).all(all), await source.all(all))

  const before = await build(t, { databaseUrl: work.databaseUrl })
  const after = await build(t, { databaseUrl: target })
  for (const path of ['/employees', ...shownViews.map(({ path }) => path)]) {
    t.equal((await after.inject(path)).body, (await before.inject(path)).body, path)
  }
})

t.test('what no route takes, and a shell does, is moved as it is', async (t) => {
  const { work, target, move } = await places(t)
  const source = await work.shell()
  await source.run("INSERT INTO employees VALUES (5, 'a' || char(9, 10, 13) || 'b', 1, '\\t')")
  t.equal((await move()).code, 0)
  const all = 'SELECT id, name, salary, department FROM employees'
  t.strictSame(await (await openShell(t, target)).all(all), await source.all(all))
})

t.test('the next id is behind the largest that anybody ever had', async (t) => {
  const { work, target, move } = await places(t)
  const source = await work.shell()
  await source.run(`INSERT INTO employees VALUES (41, 'Ada', 1, 'E'), (70, 'Bob', 1, 'E');
    DELETE FROM employees WHERE id = 70`)
  t.equal((await move()).code, 0)
  const app = await build(t, { databaseUrl: target })
  t.equal((await post(app, 'a')).json().id, 71)
})

t.test('a POST that is sent again is answered by the new database as by the old one', async (t) => {
  const { work, target, move } = await places(t)
  const before = await build(t, { databaseUrl: work.databaseUrl })
  const first = await post(before, 'one')
  await post(before, 'two')
  const shell = await work.shell()
  const kept = await keysOf(shell)
  // As a release wrote it that kept no hashes.
  await shell.all(
    `INSERT INTO idempotency_keys (client, key, body_hash, employee_id)
     SELECT client, 'three', ?, 7 FROM idempotency_keys LIMIT 1`,
    bodyHash(ada),
  )
  await before.close()
  t.match(await move(), { code: 0, stdout: 'moved 2 employees and 3 idempotency keys in ' })

  const after = await build(t, { databaseUrl: target })
  const again = await post(after, 'one')
  t.equal(again.statusCode, 201)
  t.same(again.json(), first.json())
  t.equal((await post(after, 'three')).json().id, 7)
  t.equal((await post(after, 'one', { ...ada, salary: 1 })).statusCode, 422)
  t.equal((await after.inject('/employees')).json().length, 2)
  t.ok((await post(after, 'four')).json().id > 2)
  const moved = await keysOf(await openShell(t, target))
  for (const key of kept) {
    t.ok(moved.some((each) => JSON.stringify(each) === JSON.stringify(key)))
  }
})

/** What a file or database may be that nothing is moved from, or to. */
const bad: { what: string; says: RegExp; make: (places: Places) => unknown }[] = [
  {
    what: 'a file that is not there',
    says: /^file:\S+ is not there: name the file of a database\n$/,
    make: async () => {},
  },
  {
    what: 'a folder',
    says: /^file:\S+ is no file: /,
    make: ({ file }) => mkdir(file, { recursive: true }),
  },
  {
    what: 'an empty file',
    says: /^file:\S+ is empty: /,
    make: ({ work }) => work.file('employees.db', ''),
  },
  {
    what: 'a file that is no database',
    says: /^file:\S+ is no SQLite database /,
    make: ({ work }) => work.file('employees.db', 'no database '.repeat(100)),
  },
  {
    what: 'a database of another program',
    says: /^file:\S+ is of another program, or was changed by hand /,
    make: ({ file }) => new Sqlite(file).exec('CREATE TABLE notes (text)').close(),
  },
  {
    what: 'a file of a newer release',
    says: /^file:\S+ is of a newer release, by its migration 9999_more.sql: move it with that/,
    make: async ({ work }) =>
      (await work.shell()).run("INSERT INTO migrations VALUES ('9999_more.sql', '')"),
  },
  {
    what: 'a file of an older release',
    says: /^file:\S+ is of an older release, without the migration 0007_\S+: start this release over/,
    make: async ({ work }) =>
      (await work.shell()).run("DELETE FROM migrations WHERE name LIKE '0007%'"),
  },
  {
    what: 'a target with employees',
    says: /^--to: it is not empty, it has employees already: name a new database\n$/,
    make: async (places) => onTarget(places, "INSERT INTO employees VALUES (1, 'A', 1, 'E')"),
  },
  {
    what: 'a target with idempotency keys',
    says: /^--to: it is not empty, it has idempotency keys already: /,
    make: async (places) =>
      onTarget(places, "INSERT INTO idempotency_keys VALUES ('me', '', '', 1, now(), 1)"),
  },
  {
    what: 'a target of a newer release',
    says: /^--to: it is of a newer release, by its migration 9999_more.sql: move with that/,
    make: async (places) => onTarget(places, "INSERT INTO migrations VALUES ('9999_more.sql')"),
  },
  {
    what: 'a target of an older release',
    says: /^--to: it is of an older release, without the migration 0000_\S+: start this release/,
    make: async (places) => onTarget(places, 'DELETE FROM migrations'),
  },
  {
    what: 'a target of another program',
    says: /^--to: it is of another program \(column "name" does not exist\)\n$/,
    make: async ({ t, work, target }) => {
      await work.shell()
      await (await openShell(t, target)).run('CREATE TABLE migrations (version int)')
    },
  },
  {
    what: 'a password that is wrong',
    says: /^--to: 127\.0\.0\.1:\d+ does not let this user in: /,
    make: async (places) => {
      await places.work.shell()
      const url = new URL(places.target)
      url.password = SECRET
      places.target = url.href
    },
  },
]

for (const { what, says, make } of bad) {
  t.test(`${what}: one line, and nothing was changed`, async (t) => {
    const given = await places(t)
    const { target } = given
    await make(given)
    const before = await contentsOf(t, target)
    const { code, stdout, stderr } = await given.move()
    t.match(stderr, says)
    t.match(stderr, /^[^\n]+\n$/)
    t.equal(stdout, '')
    t.equal(code, 1)
    t.notMatch(stderr, SECRET)
    t.same(await contentsOf(t, target), before)
  })
}

t.test('another direction is wrong usage, which shows no password', async (t) => {
  const { work, file, target } = await places(t)
  const postgres = `postgres://me:${SECRET}@127.0.0.1/employees`
  for (const [from, to, says] of [
    [target, `file:${file}`, /^--from must be file:PATH: from SQLite alone is moved\n$/],
    [postgres, target, /^--from must be file:PATH: /],
    [
      `file:${file}`,
      `file:${file}2`,
      /^--to must be postgres:\S+: to PostgreSQL alone is moved\n$/,
    ],
    [`file:${file}`, `mysql://me:${SECRET}@127.0.0.1/employees`, /^--to must be postgres:/],
  ] as const) {
    const { code, stderr } = await work.run('move', '--from', from, '--to', to)
    t.match(stderr, says)
    t.equal(code, 2)
  }
  const missing = { code: 2, stderr: "required option '--from <url>' not specified" }
  t.match(await work.run('move', '--to', target), missing)
})

t.test('a file that is written meanwhile is not moved', async (t) => {
  const { work, target, moveUntil } = await places(t)
  await crowd(work)
  const shell = await work.shell()
  const write = () => shell.run("UPDATE employees SET name = 'Eve' WHERE id = 1")
  const { code, stdout, stderr } = await moveUntil('Moving: 50 %', write)
  t.match(stderr, /\nSomebody has written to the file meanwhile, so nothing was moved: stop the/)
  t.equal(stdout, '')
  t.equal(code, 1)
  await isEmpty(t, target)
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal}, however late, leaves the target empty, and says so`, async (t) => {
    const { work, target, moveUntil } = await places(t)
    await crowd(work)
    const stop = (child: ChildProcess) => child.kill(signal)
    for (const said of ['Moving: 50 %', 'Comparing: 50 %']) {
      const { code, stdout, stderr } = await moveUntil(said, stop)
      t.equal(code, exitCode)
      t.equal(stdout, '')
      t.match(stderr, /\nStopped: nothing was moved\n$/)
      await isEmpty(t, target)
    }
  })
}

t.test('what is read back and is not the same is not kept', async (t) => {
  for (const change of ['new.salary := new.salary + 1e-9', 'new.name := upper(new.name)']) {
    const given = await places(t)
    await (await given.work.shell()).run("INSERT INTO employees VALUES (5, 'Ada', 1, 'E')")
    await onTarget(
      given,
      `CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN ${change}; RETURN new; END $$;
       CREATE TRIGGER change BEFORE INSERT ON employees FOR EACH ROW EXECUTE FUNCTION change()`,
    )
    const { code, stdout, stderr } = await given.move()
    t.match(
      stderr,
      /^What was read back .* nothing was moved:\nfrom 1 employee, 0 keys, SHA-256 (\w+)\nto {3}1 employee, 0 keys, SHA-256 (?!\1)\w+\n$/,
    )
    t.equal(stdout, '')
    t.equal(code, 1)
    await isEmpty(t, given.target)
  }
})

t.test('a row that the target refuses is an error, and nothing is moved', async (t) => {
  const { work, target, move } = await places(t)
  const shell = await work.shell()
  await shell.run("INSERT INTO employees VALUES (5, 'A' || char(0), 1, 'E')")
  t.match(await move(), { code: 1, stderr: 'invalid byte sequence for encoding "UTF8": 0x00\n' })
  await isEmpty(t, target)
})

t.test('the file stays as it is', async (t) => {
  const { work, file, move } = await places(t)
  await (await work.shell()).run("INSERT INTO employees VALUES (5, 'Ada', 1, 'E')")
  new Sqlite(file).pragma('wal_checkpoint(TRUNCATE)')
  const before = await readFile(file)
  t.equal((await move()).code, 0)
  t.ok((await readFile(file)).equals(before))
})

interface Places {
  t: Test
  work: Workplace
  /** Of the SQLite database. */
  file: string
  /** The URL of the PostgreSQL database. */
  target: string
}

async function places(t: Test) {
  const work = await Workplace.create(t, 'sqlite')
  const file = work.databaseUrl.slice('file:'.length)
  await mkdir(dirname(file), { recursive: true })
  const given: Places = { t, work, file, target: await postgresDatabase(t) }
  const parameters = () => ['--from', work.databaseUrl, '--to', given.target]
  return Object.assign(given, {
    move: () => work.run('move', ...parameters()),
    moveUntil: (said: string, act: (child: ChildProcess) => void) =>
      work.runUntil(said, act, 'move', ...parameters()),
  })
}

/** Runs a statement on the target, where the service was started before. */
async function onTarget({ t, work, target }: Places, sql: string): Promise<void> {
  await work.shell()
  const app = await build(t, { databaseUrl: target })
  await app.close()
  await (await openShell(t, target)).run(sql)
}

/** What is in a PostgreSQL database, and what it is made of. */
async function contentsOf(t: Test, url: string): Promise<unknown> {
  const shell = await openShell(t, url)
  const tables = await shell.all<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
  )
  return Promise.all(tables.map(async ({ name }) => [name, await shell.all(`TABLE ${name}`)]))
}

/** Whether a target has nobody in it, and would take a move. */
async function isEmpty(t: Test, url: string): Promise<void> {
  const shell = await openShell(t, url)
  t.same(await shell.all('SELECT * FROM employees'), [])
  t.same(await shell.all('SELECT last_value, is_called FROM employees_id_seq'), [
    { last_value: 1, is_called: false },
  ])
}

/** So many that the progress is told of. */
async function crowd(work: Workplace): Promise<void> {
  const shell = await work.shell()
  await shell.run(`WITH RECURSIVE numbers (id) AS (
      SELECT 1 UNION ALL SELECT id + 1 FROM numbers WHERE id < 20000
    ) INSERT INTO employees SELECT id, 'Ada ' || id, id, 'E' FROM numbers`)
}

function post(app: App, key: string, payload = ada) {
  return app.inject({
    method: 'POST',
    url: '/employees',
    headers: { 'idempotency-key': key },
    payload,
  })
}

async function keysOf(shell: Shell): Promise<unknown[]> {
  const time = shell.dialect === 'sqlite' ? 'created_at' : 'extract(epoch FROM created_at)::bigint'
  return shell.all(
    `SELECT client, hex.key, hex.digest, employee_id, ${time} AS created_at
     FROM (SELECT ${HEX[shell.dialect]}, client, employee_id, created_at, number FROM idempotency_keys) AS hex
     ORDER BY client, number`,
  )
}

const HEX = {
  sqlite: 'lower(hex(key)) AS key, lower(hex(body_hash)) AS digest',
  postgres: "encode(key, 'hex') AS key, encode(body_hash, 'hex') AS digest",
}
