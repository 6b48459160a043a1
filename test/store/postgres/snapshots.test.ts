// slow: thousands of rows, and answers that are late
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { top2ByDepartment } from '../../../drizzle/views/top2-by-department.js'
import type { PostgresStoreOptions } from '../../../src/store/postgres/postgres-store.js'
import { Snapshots } from '../../../src/store/postgres/snapshots.js'
import { FaultProxy } from '../../support/fault-proxy.js'
import { postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { until } from '../../support/until.js'

/** Connections that a process has to its primary, whoever reads. */
const SESSION = 4
const ada = { name: 'Ada', salary: 200_000, department: 'Engineering' }

t.test('a list sees one moment, while others write', async (t) => {
  const { store } = await open(t)
  await many(store, 5000)
  const list = await store.employees.list({})
  const [first] = await Promise.all([
    store.employees.create(ada),
    store.employees.update(5000, { name: 'Grace' }),
    store.employees.delete(4999),
  ])
  const rows = JSON.parse(await text(list)) as { id: number; name: string }[]
  t.equal(rows.length, 5000)
  t.strictSame(rows.at(-1), { id: 5000, ...ada })
  const after = JSON.parse(await text(await store.employees.list({ after: 4998 })))
  t.match(after, [{ id: 5000, name: 'Grace' }, { id: first.id }])
})

for (const count of [0, 1, 999, 1000, 1001, 10_000, 12_345]) {
  t.test(`a list of ${count} is whole, by ascending id`, async (t) => {
    const { store } = await open(t)
    await many(store, count)
    const rows = JSON.parse(await text(await store.employees.list({})))
    t.strictSame(
      rows.map(({ id }: { id: number }) => id),
      Array.from({ length: count }, (_, index) => index + 1),
    )
    const behind = JSON.parse(
      await text(await store.employees.list({ department: ada.department, after: 1000 })),
    )
    t.equal(behind.length, Math.max(0, count - 1000))
    t.strictSame(store.stats().readers, { open: 0, idle: 1, limit: 16 }, 'by one connection')
  })
}

t.test('a view of many rows is whole, and has the version that belongs to them', async (t) => {
  const { store } = await open(t)
  await many(store, 12_000)
  const fill = await store.views.read(top2ByDepartment)
  const version = await store.views.version(top2ByDepartment)
  const late = store.employees.create(ada)
  t.equal(JSON.parse(await text(fill)).length, 12_000)
  t.equal(fill.version, version)
  await late
  t.not(await store.views.version(top2ByDepartment), version)
})

t.test('lists leave snapshots for fills', async (t) => {
  const { store } = await open(t, { snapshots: { open: 4, lists: 3 } })
  await many(store, 3000)
  await hold(t, store, 3)
  await t.rejects(store.employees.list({}), { statusCode: 503, code: 'TOO_MANY_SNAPSHOTS' })
  for (let i = 0; i < 3; i++) await text(await store.views.read(top2ByDepartment))
})

t.test('there are so many snapshots and no more, for fills neither', async (t) => {
  const { store, shell } = await open(t, { snapshots: { open: 2 } })
  await many(store, 3000)
  const fills = await Promise.all([0, 1].map(() => store.views.read(top2ByDepartment)))
  t.teardown(() => fills.map((fill) => fill.destroy()))
  await t.rejects(store.views.read(top2ByDepartment), /in a moment/)
  fills[0]?.destroy()
  await text(await store.views.read(top2ByDepartment))
  fills[1]?.destroy()
  await until(async () => (await inTransactions(shell)) === 0)
})

t.test('a list or a view that cannot be begun leaves no snapshot behind', async (t) => {
  const { store, shell } = await open(t)
  await shell.query('ALTER TABLE employees RENAME TO elsewhere; DROP VIEW top2_by_dept')
  await t.rejects(store.employees.list({}), /"employees" does not exist/)
  await t.rejects(store.employees.list({ department: 'Sales' }), /"employees" does not exist/)
  await t.rejects(store.views.read(top2ByDepartment), /"employees" does not exist/)
  t.equal(store.stats().readers.open, 0)
  await shell.query('ALTER TABLE elsewhere RENAME TO employees')
  t.equal(await text(await store.employees.list({})), '[]')
  await until(async () => (await inTransactions(shell)) === 0)
})

t.test('who leaves gives back what was held for it', async (t) => {
  const { store, shell } = await open(t)
  await many(store, 30_000)
  const lists = await hold(t, store, 5)
  t.equal(store.stats().readers.open, 5)
  t.equal(await inTransactions(shell), 5)
  for (const list of lists) list.destroy()
  t.equal(store.stats().readers.open, 0)
  await until(async () => (await inTransactions(shell)) === 0)
})

t.test('a few connections are kept, and used again', async (t) => {
  const { store, shell } = await open(t, { snapshots: { idle: 2 } })
  await Promise.all(Array.from({ length: 6 }, async () => text(await store.employees.list({}))))
  t.equal(store.stats().readers.idle, 2)
  await until(async () => (await connections(shell)).length === SESSION + 2)
  const before = await connections(shell)
  for (let i = 0; i < 10; i++) await text(await store.employees.list({}))
  t.strictSame(await connections(shell), before)
})

t.test(
  'a list whose connection is lost ends with an error, and never as if it were whole',
  async (t) => {
    const { store, shell } = await open(t)
    await many(store, 30_000)
    for (const begin of [
      async () => (await hold(t, store, 1))[0],
      () => store.views.read(top2ByDepartment),
    ]) {
      const begun = await begin()
      begun?.on('error', () => {})
      await shell.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle in transaction'`)
      const outcome = text(begun as NodeJS.ReadableStream)
      await t.rejects(outcome, { statusCode: 503, code: 'DATABASE_UNAVAILABLE' })
    }
    t.equal(store.stats().readers.open, 0)
    t.equal(JSON.parse(await text(await store.employees.list({}))).length, 30_000)
  },
)

t.test('nor one whose server does not answer any more', async (t) => {
  const url = await postgresDatabase(t)
  const proxy = await FaultProxy.start(t, url)
  const { store } = await open(t, {}, proxy.url)
  await many(store, 30_000)
  const [list] = await hold(t, store, 1)
  proxy.fault = 'blackhole'
  const started = performance.now()
  await t.rejects(text(list as NodeJS.ReadableStream))
  t.ok(performance.now() - started < 3000)
  t.equal(store.stats().readers.open, 0)
  const late = performance.now()
  await t.rejects(store.employees.list({}), { statusCode: 503, code: 'DATABASE_UNAVAILABLE' })
  t.ok(performance.now() - late < 3000, 'and one that comes then has its 503 in time')
  t.equal(store.stats().readers.open, 0)
  proxy.fault = 'none'
})

t.test('a snapshot that is open for too long is given up', async (t) => {
  const { store, shell } = await open(t, { snapshots: { lifeMs: 50 } })
  await many(store, 30_000)
  const [list] = await hold(t, store, 1)
  await until(() => list?.destroyed)
  t.match(list?.errored, /open for too long/)
  t.equal(store.stats().readers.open, 0)
  await until(async () => (await inTransactions(shell)) === 0)
})

t.test('a read waits for the database as long as its request may, and no longer', async (t) => {
  const url = await postgresDatabase(t)
  const proxy = await FaultProxy.start(t, url)
  const { store } = await postgresStore(t, {}, proxy.url)
  const since = await store.views.read(top2ByDepartment)
  await text(since)
  proxy.fault = 'hold'
  const ended: string[] = []
  const end = (what: string) => (error: { code: string }) => ended.push(`${what} ${error.code}`)
  const soon = performance.now() + 200
  await Promise.all([
    store.views.read(top2ByDepartment).catch(end('whole')),
    store.views.read(top2ByDepartment, soon).catch(end('whole, soon')),
    store.views.readChanges(top2ByDepartment, since, 10, soon).catch(end('changes, soon')),
    store.views.read(top2ByDepartment, performance.now()).catch(end('whole, now')),
  ])
  const order = ['whole, now', 'whole, soon', 'changes, soon', 'whole']
  t.strictSame(
    ended,
    order.map((what) => `${what} DATABASE_UNAVAILABLE`),
  )
})

t.test('what comes first and the rows are of one moment', async (t) => {
  const { db, shell } = await open(t)
  const snapshots = new Snapshots(db.primary)
  t.teardown(() => snapshots.close())
  await shell.query('SELECT pg_advisory_lock(1)')
  const opened = snapshots.open(
    'fill',
    { text: 'SELECT id FROM employees', values: [] },
    { firstly: WAIT },
  )
  await until(async () => (await processes(shell, "wait_event = 'advisory'")).length > 0)
  await shell.query("INSERT INTO employees (name, salary, department) VALUES ('Ada', 1, 'x')")
  await shell.query('SELECT pg_advisory_unlock(1)')
  const { first, rows } = await opened
  t.equal(first?.count, 0)
  t.strictSame(await rows.next(10), [])
  rows.close()
})

t.test('rows that the server gives no more are a 503', async (t) => {
  const { db, shell } = await open(t)
  const snapshots = new Snapshots(db.primary)
  t.teardown(() => snapshots.close())
  await shell.query('SELECT pg_advisory_lock(1)')
  const text = `SELECT CASE number WHEN 1500 THEN pg_advisory_xact_lock_shared(1)::text END
    FROM generate_series(1, 3000) AS number`
  const { rows } = await snapshots.open('fill', { text, values: [] })
  t.equal((await rows.next(1000)).length, 1000)
  const next = t.rejects(Promise.resolve(rows.next(1000)), {
    statusCode: 503,
    code: 'DATABASE_UNAVAILABLE',
  })
  let waiting: number | undefined
  await until(async () => {
    waiting = (await processes(shell, "wait_event = 'advisory'"))[0]
    return waiting
  })
  await shell.query('SELECT pg_cancel_backend($1)', [waiting])
  await next
  rows.close()
})

t.test('of a snapshot that was read nothing is left with its connection', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const { db } = await open(t)
  const snapshots = new Snapshots(db.primary)
  t.teardown(() => snapshots.close())
  const signals: WeakRef<AbortSignal>[] = []
  for (let i = 0; i < 10; i++) {
    const { rows } = await snapshots.open('fill', { text: 'SELECT 1', values: [] })
    await rows.next(10)
    rows.close()
    signals.push(new WeakRef(rows.signal))
  }
  t.equal(snapshots.stats.idle, 1)
  await until(() => {
    collectGarbage()
    return signals.slice(0, -1).every((signal) => signal.deref() === undefined)
  })
})

type Limits = NonNullable<PostgresStoreOptions['limits']>
type Store = Awaited<ReturnType<typeof open>>['store']

async function open(t: Test, limits: Limits = {}, url?: string) {
  const opened = await postgresStore(t, { limits }, url)
  return { ...opened, shell: await postgresClient(t, opened.url) }
}

async function many({ employees }: Store, count: number) {
  await employees.createMany(Array.from({ length: count }, () => ada))
}

/** Sees how many there are, and waits then. */
const WAIT = {
  text: `SELECT (SELECT count(*)::int FROM employees) AS count,
    pg_advisory_xact_lock_shared(1)::text`,
  values: [],
}

/** Lists of whom nobody reads more than the beginning, until the test ends. */
async function hold(t: Test, { employees }: Store, count: number) {
  const lists = await Promise.all(Array.from({ length: count }, () => employees.list({})))
  for (const list of lists) {
    list.on('error', () => {})
    list.read(0)
    t.teardown(() => list.destroy())
  }
  return lists
}

type Shell = Awaited<ReturnType<typeof postgresClient>>

async function inTransactions(shell: Shell): Promise<number> {
  return (await processes(shell, "state LIKE 'idle in transaction%'")).length
}

async function connections(shell: Shell): Promise<number[]> {
  return processes(shell, "application_name = 'employees'")
}

async function processes(shell: Shell, condition: string): Promise<number[]> {
  const { rows } = await shell.query(`SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND ${condition} ORDER BY pid`)
  return rows.map(({ pid }) => pid)
}
