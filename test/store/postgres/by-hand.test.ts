import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { highSalary } from '../../../drizzle/views/high-salary.js'
import { top2ByDepartment } from '../../../drizzle/views/top2-by-department.js'
import { PostgresDatabase } from '../../../src/store/postgres/postgres-database.js'
import { build } from '../../support/build.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { until } from '../../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

/** A store that looks all the time whether its views are as they should be, and what it did about them. */
async function keeping(t: Test) {
  const url = await postgresDatabase(t)
  const database = await PostgresDatabase.open(url)
  t.teardown(() => database.close())
  const changes: unknown[] = []
  const store = database.createStore({
    keepViewsEveryMs: 5,
    onViewChange: (change) => changes.push(change),
  })
  t.teardown(() => store.close())
  return { url, store, changes }
}

async function service(t: Test, overrides = {}) {
  const databaseUrl = await postgresDatabase(t)
  const app = await build(t, { databaseUrl, ...overrides })
  const [shell, watch] = [
    await postgresClient(t, databaseUrl),
    await postgresClient(t, databaseUrl),
  ]
  // In a transaction what others do is as it was when it was first asked.
  return { app, shell, watch }
}

t.test('a beat that is cancelled costs no more than a moment', async (t) => {
  const { app, shell } = await service(t, { databaseLeaseMs: 100 })
  const { primary } = app.db as PostgresDatabase
  await until(async () => {
    await shell.query(
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
       AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%pg_logical_emit_message%'`,
    )
    return primary.stats.losses > 0
  })
  await until(async () => (await app.inject('/employees/1')).statusCode === 404)
  t.equal((await app.inject('/readyz')).statusCode, 200)
})

t.test(
  'a locked table costs no more connections than there may be, and every answer is in time',
  async (t) => {
    const { app, shell, watch } = await service(t)
    await shell.query('BEGIN; LOCK TABLE employees IN ACCESS EXCLUSIVE MODE')
    const backends = async () =>
      (
        await watch.query(
          'SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database()',
        )
      ).rows[0].count
    let most = 0
    const begun = performance.now()
    while (performance.now() - begun < 5000) {
      const paths = ['/employees/1', '/employees/high-salary', '/employees', '/employees?limit=1']
      const answers = await Promise.all(paths.map((path) => app.inject(path)))
      for (const { statusCode } of answers) t.equal(statusCode, 503)
      most = Math.max(most, await backends())
    }
    t.ok(most <= 2 + 4 + 16, `${most} backends`)
    await shell.query('COMMIT')
    await until(async () => (await app.inject('/employees/1')).statusCode === 404)
  },
)

t.test('a table that is emptied and filled in one transaction is never seen empty', async (t) => {
  const { app, shell, watch } = await service(t)
  await app.employees.create(ada)
  await shell.query('BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM employees; TRUNCATE employees')
  const asked = ['/employees', '/employees/high-salary', '/employees/top2-by-department'].map(
    async (path) => await app.inject(path),
  )
  await until(async () => {
    const waiting = `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`
    return (await watch.query(waiting)).rows[0].count === asked.length
  })
  await shell.query('INSERT INTO employees SELECT * FROM kept; COMMIT')
  for (const { statusCode, body } of await Promise.all(asked)) {
    t.equal(statusCode, 200)
    t.match(JSON.parse(body), [ada])
  }
})

t.test(
  'a temporary table of the same name, or another search_path, deceives no trigger',
  async (t) => {
    const { app, shell } = await service(t)
    const { id } = await app.employees.create(ada)
    const versions = async () => [
      await app.views.version(highSalary),
      await app.views.version(top2ByDepartment),
    ]
    const before = await versions()
    await shell.query(`CREATE TEMP TABLE employees (LIKE public.employees);
    INSERT INTO pg_temp.employees VALUES (91, 'x', 1e9, 'Engineering'), (92, 'y', 2e9, 'Engineering');
    CREATE TEMP TABLE view_versions (LIKE public.view_versions);`)
    await shell.query('UPDATE public.employees SET salary = 130000 WHERE id = $1', [id])
    const after = await versions()
    for (const [i, version] of after.entries()) t.not(version, before[i])

    await shell.query('CREATE SCHEMA other; SET search_path = other')
    await shell.query('UPDATE public.employees SET salary = 140000 WHERE id = $1', [id])
    for (const [i, version] of (await versions()).entries()) t.not(version, after[i])
  },
)

t.test("somebody's own view on a cached one is not in the way of its repair", async (t) => {
  const { url, changes } = await keeping(t)
  const shell = await postgresClient(t, url)
  await shell.query(`CREATE VIEW report AS SELECT name FROM ${highSalary.name}`)
  await shell.query(`DROP TRIGGER ${highSalary.name}_update ON employees`)
  await until(() => changes.length > 0)
  t.strictSame(changes, [{ view: highSalary.name, what: 'repaired' }])
})

t.test('while a repair has to wait, nothing of the view is cached', async (t) => {
  const { url, store, changes } = await keeping(t)
  const [shell, writer] = [await postgresClient(t, url), await postgresClient(t, url)]
  await writer.query('BEGIN; LOCK TABLE employees IN ROW EXCLUSIVE MODE')
  await shell.query(`CREATE OR REPLACE FUNCTION ${highSalary.name}_of_rows() RETURNS trigger
    LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`)
  await until(() => changes.length > 0)
  t.strictSame(changes, [{ view: highSalary.name, what: 'broken' }])
  t.not(await store.views.version(highSalary), await store.views.version(highSalary))
  await writer.query('COMMIT')
  await until(() => JSON.stringify(changes).includes('repaired'))
})

t.test('an error says nothing of the row that it is about: it comes into the log', async (t) => {
  const { app, shell } = await service(t)
  await shell.query('ALTER TABLE employees ADD CONSTRAINT c CHECK (salary < 100000)')
  const grace = { name: 'Grace Hopper', salary: 123_456.75, department: 'Navy' }
  const error = await app.employees.create(grace).catch((error) => error)
  t.equal(error.code, '23514')
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /123456|Hopper/)
})

t.test('ids that were given by hand are passed over, and none is given twice', async (t) => {
  const { app, shell } = await service(t)
  const ids: number[] = []
  for (let round = 0; round < 5; round++) {
    await shell.query(`INSERT INTO employees (id, name, salary, department)
      SELECT last_value + each, 'by hand', 1, 'x' FROM employees_id_seq, generate_series(1, 3) AS each
      ON CONFLICT DO NOTHING`)
    const created = await Promise.all(Array.from({ length: 5 }, () => app.employees.create(ada)))
    ids.push(...created.map(({ id }) => id))
    await shell.query('DELETE FROM employees')
  }
  t.equal(new Set(ids).size, ids.length)
  await shell.query("SELECT setval('employees_id_seq', 9007199254740991)")
  t.equal((await app.inject({ method: 'POST', url: '/employees', payload: ada })).statusCode, 503)
})

t.test('a column that somebody has changed costs a moment', async (t) => {
  const { app, shell } = await service(t)
  await app.employees.create(ada)
  t.equal((await app.inject('/employees/1')).statusCode, 200)
  await shell.query(`DROP VIEW ${highSalary.name}, ${top2ByDepartment.name};
    ALTER TABLE employees ALTER name TYPE varchar(200)`)
  await until(async () => (await app.inject('/employees/1')).statusCode === 200)
})
