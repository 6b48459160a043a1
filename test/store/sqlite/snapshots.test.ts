import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { top2ByDepartment } from '../../../drizzle/views/top2-by-department.js'
import { bulkLoad } from '../../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import {
  createSqliteStore,
  type SqliteStoreOptions,
} from '../../../src/store/sqlite/sqlite-store.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { until } from '../../support/until.js'

const MIB = 1024 * 1024
const LONG = '📏'.repeat(100)
const ada = { name: 'Ada', salary: 1, department: 'Engineering' }

t.test('lists leave snapshots for fills', async (t) => {
  const { store } = await open(t, { snapshots: { open: 4, lists: 3 } })
  await hold(t, store, 3)
  await t.rejects(store.employees.list({}), /in a moment/)
  for (let i = 0; i < 3; i++) await read(await store.views.read(top2ByDepartment))
})

t.test('there are so many snapshots and no more, for fills neither', async (t) => {
  const { store } = await open(t, { snapshots: { open: 2 } })
  const fills = await Promise.all([0, 1].map(() => store.views.read(top2ByDepartment)))
  t.teardown(() => fills.map((fill) => fill.destroy()))
  await t.rejects(store.views.read(top2ByDepartment), /in a moment/)
  fills[0]?.destroy()
  await read(await store.views.read(top2ByDepartment))
})

t.test('a list or a view that cannot be begun leaves no snapshot behind', async (t) => {
  const { store, db } = await open(t)
  db.$client.exec('ALTER TABLE employees RENAME TO elsewhere')
  await t.rejects(store.employees.list({}), /no such table/)
  await t.rejects(store.employees.list({ department: 'Sales' }), /no such table/)
  await t.rejects(store.views.read(top2ByDepartment), /no such/)
  t.equal(store.stats().readers.open, 0)
  db.$client.exec('ALTER TABLE elsewhere RENAME TO employees')
  t.strictSame(await read(await store.employees.list({})), [])
})

t.test('a snapshot that is open for too long is given up', async (t) => {
  const { store } = await open(t, { snapshots: { lifeMs: 10 } })
  const [list] = await hold(t, store, 1)
  await until(() => list?.destroyed)
  t.match(list?.errored, /open for too long/)
  t.equal(store.stats().readers.open, 0)
})

t.test('a log that no reader holds up stays small', async (t) => {
  const { store, logSize } = await open(t)
  await write(store, 20)
  t.ok(logSize() < 8 * MIB, `${logSize()} bytes`)
})

t.test('a list that nobody reads is given up before the log has grown too large', async (t) => {
  const log = { softBytes: 1 * MIB, hardBytes: 3 * MIB, graceMs: 0, tryEveryMs: 0, everyMs: 1e9 }
  const { store, logSize } = await open(t, { log })
  const [list] = await hold(t, store, 1)
  let largest = 0
  for (let i = 0; i < 40; i++) {
    await write(store, 1)
    largest = Math.max(largest, logSize())
  }
  t.ok(list?.destroyed)
  t.match(list?.errored, /log has grown too large/)
  t.ok(largest < 6 * MIB, `${largest} bytes at most`)
  await until(async () => {
    await store.employees.create(ada)
    return logSize() < 1 * MIB
  })
})

t.test('a checkpoint has its turn: who comes then waits for those who read already', async (t) => {
  const log = { softBytes: 0, hardBytes: 1000 * MIB, momentMs: 60_000, tryEveryMs: 0 }
  const { store, logSize } = await open(t, { log })
  await write(store, 1)
  const [list] = await hold(t, store, 1)
  await write(store, 1)
  t.ok(logSize() > 0)
  let opened = false
  const late = store.employees.list({}).finally(() => {
    opened = true
  })
  for (let i = 0; i < 10; i++) await turn()
  t.notOk(opened)
  list?.destroy()
  t.equal((await read(await late)).length, 2000)
  t.equal(logSize(), 0, 'the log began anew in between')
})

t.test('it waits no longer than a moment', async (t) => {
  const log = { softBytes: 0, hardBytes: 1000 * MIB, momentMs: 1, tryEveryMs: 0 }
  const { store } = await open(t, { log })
  // As the service's port does: the timers of the store keep no process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const [list] = await hold(t, store, 1)
  await write(store, 1)
  await read(await store.employees.list({}))
  t.notOk(list?.destroyed)
})

t.test('a database in memory is copied once for all who read the same state', async (t) => {
  const { store, db } = await open(t, {}, 'file::memory:')
  const serialize = t.capture(db.$client, 'serialize', db.$client.serialize)
  await store.employees.create(ada)
  await hold(t, store, 5)
  t.equal(serialize().length, 1)
  await store.employees.create(ada)
  const [list] = await hold(t, store, 2)
  t.equal(serialize().length, 1)
  t.equal((await read(list as NonNullable<typeof list>)).length, 2, 'the new state')
})

t.test('of a database in memory a few states can be read at once, and it is bounded', async (t) => {
  const { store, db } = await open(t, {}, 'file::memory:')
  for (let i = 0; i < 4; i++) {
    await store.employees.create(ada)
    await hold(t, store, 1)
  }
  await store.employees.create(ada)
  await t.rejects(store.employees.list({}), /in a moment/)

  const rows = Array.from({ length: 200_000 }, () => ({ ...ada, name: LONG }))
  await t.rejects(bulkLoad(db.$client, rows), { code: 'SQLITE_FULL' })
  t.equal((await store.employees.page({ limit: 10 })).employees.length, 5)
})

type Limits = NonNullable<SqliteStoreOptions['limits']>

async function open(t: Test, limits: Limits = {}, url?: string) {
  const path = join(await temporaryDirectory(t), 'employees.db')
  const db = openSqlite(url ?? `file:${path}`)
  const store = createSqliteStore(db, { limits })
  t.teardown(() => {
    store.close()
    db.$client.close()
  })
  const logSize = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  return { db, store, logSize }
}

type Store = Awaited<ReturnType<typeof open>>['store']

/** Lists that nobody reads, until the test ends. */
async function hold(t: Test, { employees }: Store, count: number) {
  const lists = await Promise.all(Array.from({ length: count }, () => employees.list({})))
  for (const list of lists) {
    list.on('error', () => {})
    list.read(0)
    t.teardown(() => list.destroy())
  }
  // Its moment is that of its first row.
  await Promise.all(lists.map((list) => until(() => list.readableLength > 0 || list.destroyed)))
  return lists
}

async function read(stream: AsyncIterable<Buffer>): Promise<unknown[]> {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** Each some 0.8 MB of new pages. */
async function write({ employees }: Store, times: number) {
  for (let i = 0; i < times; i++) {
    await employees.createMany(Array.from({ length: 1000 }, () => ({ ...ada, name: LONG })))
  }
}
