import { once } from 'node:events'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { defineView, type View, type ViewDefinition } from '../../../drizzle/define-view.js'
import { views } from '../../../drizzle/registry.js'
import { sqliteDialect } from '../../../src/store/sqlite/dialect.js'
import { type Drizzle, openSqlite } from '../../../src/store/sqlite/open.js'
import { registeredViews } from '../../../src/store/sqlite/registered-views.js'
import { createSqliteStore } from '../../../src/store/sqlite/sqlite-store.js'
import { ViewKeeper } from '../../../src/store/sqlite/view-keeper.js'
import type { ViewChange } from '../../../src/store/view-changes.js'
import { generate } from '../../../src/store/views/generate.js'
import { sqliteShell } from '../../support/shell.js'
import { createUntilChanged, expectedRows } from '../../support/shown-views.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { until } from '../../support/until.js'
import { versions } from './versions.js'

const ada = { name: 'Ada', salary: 300_000, department: 'x' }
const FIXTURE = fileURLToPath(
  new URL('../../../../test/fixtures/before-definitions.db', import.meta.url),
)

const DATABASE = new URL('../../../src/store/sqlite/open.js', import.meta.url).href

/** A view as two releases may define it. */
const older = payroll({ reads: ['department'], sql: 'SELECT DISTINCT department FROM employees' })
const newer = payroll({
  reads: ['department', 'salary'],
  sql: 'SELECT department, sum(salary) AS payroll FROM employees GROUP BY department',
})

t.test('a start that finds everything in place writes nothing', async (t) => {
  const file = await database(t)
  file.open()
  const before = snapshot(file.client)
  t.strictSame(file.open().changes, [])
  t.strictSame(snapshot(file.client), before)
})

for (const { name, objects } of registeredViews) {
  for (const object of objects) {
    t.test(
      `${name}: ${object.name} that was dropped is put back, with a new version`,
      async (t) => {
        const file = await database(t)
        file.open()
        const before = snapshot(file.client)
        file.client.exec(`DROP ${object.type} ${object.name}`)
        t.strictSame(file.open().changes, [{ view: name, what: 'repaired' }])
        t.strictSame(snapshot(file.client).schema, before.schema)
        t.strictSame(changed(before.versions, versions(file.client)), [name])
      },
    )

    t.test(`${name}: ${object.name} that was changed is put back`, async (t) => {
      const file = await database(t)
      file.open()
      const before = snapshot(file.client)
      file.client.exec(`DROP ${object.type} ${object.name}`)
      file.client.exec(
        object.type === 'view'
          ? `CREATE VIEW ${object.name} AS SELECT 1 AS one`
          : `CREATE TRIGGER ${object.name} AFTER UPDATE ON employees BEGIN SELECT 1; END`,
      )
      t.strictSame(file.open().changes, [{ view: name, what: 'repaired' }])
      t.strictSame(snapshot(file.client).schema, before.schema)
      t.strictSame(changed(before.versions, versions(file.client)), [name])
    })
  }
}

t.test('what was missed while a trigger was gone is shown after the repair', async (t) => {
  const file = await database(t)
  const { db, store } = file.serve()
  for (const name of insertTriggers(file.client)) file.client.exec(`DROP TRIGGER ${name}`)
  t.ok(views.length >= 2)
  for (const view of views) {
    const stale = await store.views.version(view)
    await createUntilChanged(sqliteShell(db.$client), view, store.employees.create)
    t.equal(await store.views.version(view), stale, `nobody announced it: ${view.name}`)
  }
  const stale = versions(db.$client)
  file.open()
  for (const view of views) {
    t.not(await store.views.version(view), stale[view.name], view.name)
    t.strictSame(
      await read(store.views, view),
      await expectedRows(sqliteShell(db.$client), view),
      view.name,
    )
  }
})

t.test('a service that runs puts back what is dropped meanwhile', async (t) => {
  const file = await database(t)
  const { db, changes } = file.serve({ keepViewsEveryMs: 10 })
  const before = snapshot(db.$client)
  file.client.exec(`DROP TRIGGER ${insertTriggers(file.client)[0]}`)
  await until(() => changes.length > 0)
  t.match(changes, [{ what: 'repaired' }])
  t.strictSame(snapshot(db.$client).schema, before.schema)
})

t.test('another definition replaces view and triggers, and gives a new version', async (t) => {
  const file = await database(t)
  file.open([older])
  const before = versions(file.client)
  t.strictSame(file.open([newer]).changes, [{ view: 'payroll', what: 'defined' }])
  t.strictSame(changed(before, versions(file.client)), ['payroll'])
  file.client.exec("INSERT INTO employees (name, salary, department) VALUES ('a', 1, 'x')")
  t.strictSame(file.client.prepare('SELECT * FROM payroll').all(), [
    { department: 'x', payroll: 1 },
  ])
})

t.test('another predicate is another definition', async (t) => {
  const file = await database(t)
  file.open([newer])
  const before = versions(file.client)
  const narrowed = payroll({ ...newer.definition, matters: (row) => `${row}.salary > 7` })
  t.strictSame(file.open([narrowed]).changes, [{ view: 'payroll', what: 'defined' }])
  t.strictSame(changed(before, versions(file.client)), ['payroll'])
})

t.test(
  'without a predicate every change of a column that the view reads counts, and no other',
  async (t) => {
    const file = await database(t)
    file.open([newer])
    const { client } = file
    const renews = (sql: string) => {
      const before = versions(client)
      client.exec(sql)
      return versions(client).payroll !== before.payroll
    }
    t.ok(renews("INSERT INTO employees VALUES (1, 'a', 1, 'x'), (2, 'b', 1, 'x')"))
    t.ok(renews('UPDATE employees SET salary = 2 WHERE id = 1'))
    t.ok(renews("UPDATE employees SET department = 'y' WHERE id = 1"))
    t.notOk(renews("UPDATE employees SET name = 'c', salary = 2 WHERE id = 1"))
    t.notOk(renews('DELETE FROM employees WHERE id = 3'))
    t.ok(renews("INSERT OR REPLACE INTO employees VALUES (1, 'c', 3, 'y')"))
    t.ok(renews('DELETE FROM employees WHERE id = 1'))
    t.ok(renews('DELETE FROM employees'))
  },
)

t.test('a view that left the registry leaves the database, with all its triggers', async (t) => {
  const file = await database(t)
  file.open([])
  const without = snapshot(file.client).schema
  file.open([newer])
  t.strictSame(file.open([]).changes, [{ view: 'payroll', what: 'removed' }])
  t.strictSame(snapshot(file.client).schema, without)
  t.strictSame(versions(file.client), {})
})

t.test('threads that start at once on a new file do it once, and it is no news', async (t) => {
  const file = await database(t)
  const source = `
    import { workerData, parentPort } from 'node:worker_threads'
    const { openSqlite } = await import(workerData.module)
    const changes = []
    openSqlite(workerData.url, { onViewChange: (change) => changes.push(change) }).$client.close()
    parentPort.postMessage(changes)`
  const workerData = { module: DATABASE, url: `file:${file.path}` }
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
  const told = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const [changes] = await once(new Worker(url, { workerData }), 'message')
      return changes as ViewChange[]
    }),
  )
  // Nothing from the first, to whom all is new, and from the others only what they would do again.
  t.strictSame(told.flat(), [])
  t.strictSame(Object.keys(versions(file.client)).sort(), views.map(({ name }) => name).sort())
})

t.test('a view that reads a column which it does not list does not start', async (t) => {
  const file = await database(t)
  for (const [reads, sql, reason] of [
    [['department'], newer.sql('sqlite'), /no such column: salary/],
    [['department'], 'SELECT * FROM employees', /it shows id,name,salary/],
    [['id'], 'SELECT view FROM view_versions', /no such table: view_versions/],
  ] as [ViewDefinition['reads'], string, RegExp][]) {
    t.throws(() => file.open([payroll({ reads, sql })]), reason)
    t.throws(() => file.open([payroll({ reads, sql })]), /The view payroll reads more than/)
  }
  t.notOk(file.client.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'payroll'").get())
})

t.test('two releases over one database: neither takes what belongs to the other', async (t) => {
  const file = await database(t)
  const old = file.serve({}, [older])
  await old.store.employees.create(ada)
  const cached = await old.store.views.version(older)
  t.equal(await old.store.views.version(older), cached)

  const next = file.serve({}, [newer])
  const version = await next.store.views.version(newer)
  t.equal(await next.store.views.version(newer), version, 'what the newer one keeps can be found')
  const seen = new Set([cached, version])
  for (let i = 0; i < 3; i++) {
    const each = await old.store.views.version(older)
    t.notOk(seen.has(each), 'the older one finds nothing, of its own or of the other')
    seen.add(each)
  }
  t.strictSame(await read(next.store.views, newer), [{ department: 'x', payroll: 300_000 }])
  t.strictSame(await read(old.store.views, older), [{ department: 'x' }], 'by its own query')

  await old.store.employees.create(ada)
  t.not(await next.store.views.version(newer), version, 'a write through the older one counts')
  t.strictSame(await read(next.store.views, newer), [{ department: 'x', payroll: 600_000 }])
})

t.test('the older release leaves the newer one its triggers, until that is gone', async (t) => {
  const file = await database(t)
  const old = file.keeper([older])
  old.keep(true)
  const next = file.keeper([newer])
  next.keep(true)
  const [{ version } = { version: '' }] = rows(file.client)

  for (let i = 0; i < 3; i++) {
    t.strictSame(old.keep(), i === 0 ? [{ view: 'payroll', what: 'foreign' }] : [])
    t.strictSame(next.keep(), [])
    t.strictSame(
      file.keeper([older]).keep(true),
      [{ view: 'payroll', what: 'foreign' }],
      'a restart',
    )
  }
  t.match(rows(file.client), [{ version }])

  const gone = 'UPDATE view_definitions SET seen_at = seen_at - 121 WHERE definition = ?'
  file.client.prepare(gone).run(generate(newer, sqliteDialect).hash)
  t.strictSame(old.keep(), [{ view: 'payroll', what: 'defined' }])
  t.not(rows(file.client)[0]?.version, version)
})

t.test('where one release runs alone, nobody has to say that it does', async (t) => {
  const file = await database(t)
  const keeper = file.keeper([newer])
  keeper.keep(true)
  t.notOk(keeper.isDue())
  const next = file.keeper([older])
  next.keep(true)
  t.ok(keeper.isDue(), 'another one is here')
  t.ok(next.isDue())
  file.client.exec('UPDATE view_definitions SET seen_at = seen_at - 3601')
  next.keep()
  t.notOk(next.isDue(), 'and was forgotten')
})

t.test(
  'a database of the release before definitions is brought over with nothing lost',
  async (t) => {
    const file = await database(t)
    await copyFile(FIXTURE, file.path)
    // A key stands for a day.
    file.client.exec('UPDATE idempotency_keys SET created_at = unixepoch()')
    const before = tables(file.client)
    const { changes, db } = file.open()
    t.strictSame(
      changes,
      views.map(({ name }) => ({ view: name, what: 'defined' })),
    )
    const after = tables(file.client)
    t.strictSame(after.employees, before.employees)
    t.equal((before.employees as unknown[]).length, 3)
    const told = (keys: unknown) =>
      (keys as Record<string, unknown>[]).map(({ client, employee_id, created_at }) => {
        return { client, employee_id, created_at }
      })
    t.strictSame(told(after.idempotency_keys), told(before.idempotency_keys))
    t.equal((before.idempotency_keys as unknown[]).length, 1)

    const empty = await database(t)
    empty.open()
    t.strictSame(snapshot(db.$client).schema, snapshot(empty.client).schema, 'as a new one is')
    t.equal(file.client.prepare('PRAGMA integrity_check').pluck().get(), 'ok')
    const store = createSqliteStore(db)
    t.teardown(() => store.close())
    const again = { name: 'Ada Lovelace', salary: 180000.1, department: 'Engineering' }
    const created = await store.employees.create(again, { client: 'web', key: 'ada' })
    t.equal(created.id, 1, 'a key that was used is known')
    t.equal((await store.employees.create(ada)).id, 5, 'and no id is given twice')
  },
)

function payroll(definition: ViewDefinition): View {
  return defineView('payroll', definition)
}

/** A database file, a connection of somebody's to it, and the service's ways to open it. */
async function database(t: Test) {
  const path = join(await temporaryDirectory(t), 'employees.db')
  let shell: Sqlite.Database | undefined
  const generated = (list?: View[]) => list?.map((view) => generate(view, sqliteDialect))
  const file = {
    path,
    /** As the sqlite3 shell would have it. */
    get client() {
      if (!shell) {
        shell = new Sqlite(path)
        t.teardown(() => shell?.close())
      }
      return shell
    },
    /** What a start with these views does. */
    open(list?: View[]): { db: Drizzle; changes: ViewChange[] } {
      const changes: ViewChange[] = []
      const onViewChange = (change: ViewChange) => changes.push(change)
      const own = generated(list)
      const db = openSqlite(`file:${path}`, { onViewChange, ...(own && { views: own }) })
      t.teardown(() => db.$client.close())
      return { db, changes }
    },
    serve(options: { keepViewsEveryMs?: number } = {}, list?: View[]) {
      const { db } = file.open(list)
      const changes: ViewChange[] = []
      const onViewChange = (change: ViewChange) => changes.push(change)
      const own = generated(list)
      const store = createSqliteStore(db, { ...options, onViewChange, ...(own && { views: own }) })
      t.teardown(() => store.close())
      return { db, store, changes }
    },
    keeper(list: View[]) {
      if (!shell) file.open([])
      return new ViewKeeper(file.client, generated(list) ?? [])
    },
  }
  return file
}

function rows(client: Sqlite.Database) {
  return client
    .prepare<[], { view: string; version: string }>('SELECT view, version FROM view_versions')
    .all()
}

function insertTriggers(client: Sqlite.Database): string[] {
  return client
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%\\_insert' ESCAPE '\\'",
    )
    .pluck()
    .all()
}

function snapshot(client: Sqlite.Database) {
  const schema = client
    .prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name')
    .all()
  const definitions = client.prepare('SELECT * FROM view_definitions').all()
  return { schema, definitions, versions: versions(client) }
}

function tables(client: Sqlite.Database): Record<string, unknown[]> {
  return Object.fromEntries(
    ['employees', 'idempotency_keys'].map((name) => [
      name,
      client.prepare(`SELECT * FROM ${name}`).all(),
    ]),
  )
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after).filter((view) => after[view] !== before[view])
}

async function read(
  store: ReturnType<typeof createSqliteStore>['views'],
  view: View,
): Promise<unknown> {
  const chunks = []
  for await (const chunk of await store.read(view)) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}
