// slow: hundreds of statements, each with a database of its own
import { text } from 'node:stream/consumers'
import type { Client } from 'pg'
import t, { type Test } from 'tap'
import { defineView, type View, type ViewDefinition } from '../../../drizzle/define-view.js'
import { views } from '../../../drizzle/registry.js'
import { Connection } from '../../../src/store/postgres/connection.js'
import { postgresDialect } from '../../../src/store/postgres/dialect.js'
import { hostsOf } from '../../../src/store/postgres/hosts.js'
import { registeredViews } from '../../../src/store/postgres/registered-views.js'
import { ViewKeeper } from '../../../src/store/postgres/view-keeper.js'
import type { ViewStore } from '../../../src/store/store.js'
import type { ViewChange } from '../../../src/store/view-changes.js'
import { generate, type SchemaObject } from '../../../src/store/views/generate.js'
import { openPostgres } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { until } from '../../support/until.js'

const ada = { name: 'Ada', salary: 300_000, department: 'x' }

/** A view as two releases may define it. */
const older = payroll({
  reads: ['department'],
  sql: 'SELECT DISTINCT department FROM employees ORDER BY department',
})
const newer = payroll({
  reads: ['department', 'salary'],
  sql: 'SELECT department, sum(salary) AS payroll FROM employees GROUP BY department',
})

/** What somebody may do to what is generated, by its type. */
const DAMAGES: Record<SchemaObject['type'], { what: string; sql: (name: string) => string }[]> = {
  view: [
    { what: 'dropped', sql: (name) => `DROP VIEW ${name}` },
    {
      what: 'changed',
      sql: (name) => `DROP VIEW ${name}; CREATE VIEW ${name} AS SELECT 1 AS one`,
    },
  ],
  trigger: [
    { what: 'dropped', sql: (name) => `DROP TRIGGER ${name} ON employees` },
    { what: 'disabled', sql: (name) => `ALTER TABLE employees DISABLE TRIGGER ${name}` },
    {
      what: 'changed',
      sql: (name) => `DROP TRIGGER ${name} ON employees;
        CREATE TRIGGER ${name} AFTER UPDATE OF name ON employees
        EXECUTE FUNCTION employees_keep_id()`,
    },
  ],
  function: [
    { what: 'dropped', sql: (name) => `DROP FUNCTION ${name} CASCADE` },
    {
      what: 'changed',
      sql: (name) => `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RETURN NULL; END $$`,
    },
  ],
}

t.test('a start that finds everything in place writes nothing', async (t) => {
  const { open, snapshot } = await database(t)
  await open()
  const before = await snapshot()
  t.strictSame(await open(), [])
  t.strictSame(await snapshot(), before)
})

for (const { name, objects } of registeredViews) {
  t.test(`${name}: whatever is damaged is put back, with a new version`, async (t) => {
    const { open, snapshot, shell } = await database(t)
    await open()
    for (const object of objects) {
      for (const { what, sql } of DAMAGES[object.type]) {
        const before = await snapshot()
        await shell.query(sql(object.name))
        t.notSame((await snapshot()).schema, before.schema)
        t.strictSame(await open(), [{ view: name, what: 'repaired' }], `${object.name} was ${what}`)
        const after = await snapshot()
        t.strictSame(after.schema, before.schema)
        t.strictSame(changed(before.versions, after.versions), [name])
      }
    }
  })
}

t.test('what was missed while a trigger was gone is shown after the repair', async (t) => {
  const { open, serve, shell } = await database(t)
  const { store } = await serve()
  for (const view of views) {
    await shell.query(`DROP TRIGGER ${view.name}_insert ON employees`)
    const stale = await store.views.version(view)
    await store.employees.create(ada)
    t.equal(await store.views.version(view), stale, `nobody announced it: ${view.name}`)
    await open()
    t.not(await store.views.version(view), stale, view.name)
    t.match(await read(store.views, view), [ada], view.name)
  }
})

t.test('a service that runs puts back what is dropped meanwhile', async (t) => {
  const { serve, snapshot, shell } = await database(t)
  const { changes } = await serve({ keepViewsEveryMs: 10 })
  const before = await snapshot()
  await shell.query(`DROP TRIGGER ${views[0]?.name}_turn ON employees`)
  await until(() => changes.length > 0)
  t.strictSame(changes, [{ view: views[0]?.name, what: 'repaired' }])
  t.strictSame((await snapshot()).schema, before.schema)
})

t.test('another definition replaces view and triggers, and gives a new version', async (t) => {
  const { open, snapshot, shell } = await database(t)
  await open([older])
  const before = await snapshot()
  t.strictSame(await open([newer]), [{ view: 'payroll', what: 'defined' }])
  t.strictSame(changed(before.versions, (await snapshot()).versions), ['payroll'])
  await shell.query("INSERT INTO employees (name, salary, department) VALUES ('a', 1, 'x')")
  t.strictSame((await shell.query('SELECT * FROM payroll')).rows, [{ department: 'x', payroll: 1 }])
})

t.test('another predicate is another definition', async (t) => {
  const { open, snapshot } = await database(t)
  await open([newer])
  const before = await snapshot()
  const narrowed = payroll({ ...newer.definition, matters: (row) => `${row}.salary > 7` })
  t.strictSame(await open([narrowed]), [{ view: 'payroll', what: 'defined' }])
  t.strictSame(changed(before.versions, (await snapshot()).versions), ['payroll'])
})

t.test('a view that left the registry leaves the database, with all that was its', async (t) => {
  const { open, snapshot } = await database(t)
  await open([])
  const without = (await snapshot()).schema
  await open([newer])
  t.strictSame(await open([]), [{ view: 'payroll', what: 'removed' }])
  const after = await snapshot()
  t.strictSame(after.schema, without)
  t.strictSame(after.versions, {})
})

t.test(
  'processes that start at once on a new database do it once, and it is no news',
  async (t) => {
    const { open, snapshot } = await database(t)
    const told = await Promise.all([1, 2, 3, 4].map(() => open()))
    t.strictSame(told.flat(), [])
    t.strictSame(
      Object.keys((await snapshot()).versions).sort(),
      views.map(({ name }) => name).sort(),
    )
  },
)

t.test('a view that reads what it does not list does not start', async (t) => {
  const { open, shell } = await database(t)
  await open([])
  for (const [reads, sql, reason] of [
    [['department'], newer.sql('postgres'), /it reads employees\.salary$/],
    [['department'], 'SELECT * FROM employees', /employees\.id/],
    [['department'], 'SELECT department FROM employees WHERE salary > 1', /employees\.salary$/],
    [['department'], 'SELECT employees FROM employees', /rows as a whole$/],
    [['id'], 'SELECT view FROM view_versions', /view_versions\.view/],
  ] as [ViewDefinition['reads'], string, RegExp][]) {
    await t.rejects(open([payroll({ reads, sql })]), reason, sql)
    await t.rejects(open([payroll({ reads, sql })]), {
      name: 'TypeError',
      message: /The view payroll reads more than/,
    })
  }
  t.strictSame((await shell.query("SELECT to_regclass('payroll') AS view")).rows, [{ view: null }])
})

t.test('two releases over one database: neither takes what belongs to the other', async (t) => {
  const { serve } = await database(t)
  const old = await serve({}, [older])
  await old.store.employees.create(ada)
  const cached = await old.store.views.version(older)
  t.equal(await old.store.views.version(older), cached)

  const next = await serve({}, [newer])
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
  const { version: ofFill } = await drained(await old.store.views.read(older))
  t.notOk(seen.has(ofFill), 'and is kept under nothing that anybody asks for')

  await old.store.employees.create(ada)
  t.not(await next.store.views.version(newer), version, 'a write through the older one counts')
  t.strictSame(await read(next.store.views, newer), [{ department: 'x', payroll: 600_000 }])
})

t.test('the older release leaves the newer one its triggers, until that is gone', async (t) => {
  const { keeper, snapshot, shell } = await database(t)
  const [old, next] = [await keeper([older]), await keeper([newer])]
  await old.keep(true)
  await next.keep(true)
  const { versions } = await snapshot()
  for (let i = 0; i < 3; i++) {
    t.strictSame(await old.keep(), i === 0 ? [{ view: 'payroll', what: 'foreign' }] : [])
    t.strictSame(await next.keep(), [])
    const restarted = await keeper([older])
    t.strictSame(await restarted.keep(true), [{ view: 'payroll', what: 'foreign' }], 'a restart')
  }
  t.strictSame((await snapshot()).versions, versions)

  await shell.query(
    `UPDATE view_definitions SET seen_at = seen_at - interval '121 seconds' WHERE definition = $1`,
    [generate(newer, postgresDialect).hash],
  )
  t.strictSame(await old.keep(), [{ view: 'payroll', what: 'defined' }])
  t.notSame((await snapshot()).versions, versions)
})

t.test('where one release runs alone, nobody has to say that it does', async (t) => {
  const { keeper, shell } = await database(t)
  const [one, next] = [await keeper([newer]), await keeper([older])]
  await one.keep(true)
  t.notOk(await one.isDue())
  await next.keep(true)
  t.ok(await one.isDue(), 'another one is here')
  t.ok(await next.isDue())
  await shell.query("UPDATE view_definitions SET seen_at = seen_at - interval '3601 seconds'")
  await next.keep()
  t.notOk(await next.isDue(), 'and was forgotten')
})

t.test('who reads for long is not in the way of others while a view is put back', async (t) => {
  const { serve, shell, url } = await database(t)
  const { store, changes } = await serve({ keepViewsEveryMs: 10 })
  const reader = await postgresClient(t, url)
  await reader.query('BEGIN')
  await reader.query('SELECT count(*) FROM employees')
  const [view] = views as [View]
  await shell.query(`CREATE OR REPLACE FUNCTION ${view.name}_of_rows() RETURNS trigger
    LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`)
  await until(() => changes.length > 0)
  t.strictSame(changes, [{ view: view.name, what: 'repaired' }])
  for (let i = 0; i < 3; i++) await store.employees.create(ada)
  t.equal((await store.employees.page({ limit: 10 })).employees.length, 3)
  await reader.query('COMMIT')
})

t.test(
  'a start that removes a view waits for who reads for long, and others do not wait for it',
  async (t) => {
    const { open, serve, shell, url } = await database(t)
    const { store } = await serve({}, [older])
    const reader = await postgresClient(t, url)
    await reader.query('BEGIN')
    await reader.query('SELECT count(*) FROM employees')
    const start = open([])
    await until(async () => {
      const { rows } = await shell.query(`SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'relation'`)
      return rows.length > 0
    })
    await store.employees.create(ada)
    await reader.query('COMMIT')
    t.strictSame(await start, [{ view: 'payroll', what: 'removed' }])
  },
)

function payroll(definition: ViewDefinition): View {
  return defineView('payroll', definition)
}

/** A new database, somebody's shell in it, and the service's ways to open it. */
async function database(t: Test) {
  const url = await postgresDatabase(t)
  const shell = await postgresClient(t, url)
  const connections: Connection[] = []
  t.teardown(() => connections.map((each) => each.destroy()))
  return {
    url,
    shell,
    /** What a start with these views does. */
    async open(list?: View[]): Promise<ViewChange[]> {
      const changes: ViewChange[] = []
      const onViewChange = (change: ViewChange) => changes.push(change)
      const db = await openPostgres(t, url, { onViewChange, ...(list && { views: list }) })
      await db.close()
      return changes
    },
    async serve(options: { keepViewsEveryMs?: number } = {}, list?: View[]) {
      const db = await openPostgres(t, url, list && { views: list })
      const changes: ViewChange[] = []
      const onViewChange = (change: ViewChange) => changes.push(change)
      const store = db.createStore({ ...options, onViewChange })
      t.teardown(() => store.close())
      return { store, changes }
    },
    async keeper(list: View[]) {
      if (connections.length === 0) await (await openPostgres(t, url, { views: [] })).close()
      const connection = await Connection.open(hostsOf(url)[0] as ReturnType<typeof hostsOf>[0])
      connections.push(connection)
      const keeper = new ViewKeeper(list.map((view) => generate(view, postgresDialect)))
      return {
        keep: async (isStart?: boolean) => {
          await connection.query('BEGIN')
          const changes = await keeper.keep(connection, isStart)
          await connection.query('COMMIT')
          return changes
        },
        isDue: () => keeper.isDue(connection),
      }
    },
    snapshot: () => snapshot(shell),
  }
}

async function snapshot(shell: Client) {
  const schema = await shell.query(`
    SELECT tgname AS name, pg_get_triggerdef(oid) || tgenabled::text AS sql FROM pg_trigger
    WHERE tgrelid = 'employees'::regclass AND NOT tgisinternal
    UNION ALL SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'
    UNION ALL SELECT proname, pg_get_functiondef(oid) FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace
    ORDER BY name, sql`)
  const definitions = await shell.query('SELECT * FROM view_definitions ORDER BY 1, 2')
  const versions = await shell.query('SELECT view, version FROM view_versions')
  return {
    schema: schema.rows,
    definitions: definitions.rows,
    versions: Object.fromEntries(versions.rows.map(({ view, version }) => [view, version])),
  }
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after).filter((view) => after[view] !== before[view])
}

async function read(store: ViewStore, view: View): Promise<unknown> {
  return JSON.parse(await text(await store.read(view)))
}

async function drained<Stream extends NodeJS.ReadableStream>(stream: Stream): Promise<Stream> {
  await text(stream)
  return stream
}
