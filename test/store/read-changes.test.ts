import t, { type Test } from 'tap'
import { highSalary } from '../../drizzle/views/high-salary.js'
import { top2ByDepartment } from '../../drizzle/views/top2-by-department.js'
import { Connection } from '../../src/store/postgres/connection.js'
import { Snapshots } from '../../src/store/sqlite/snapshots.js'
import type { ViewChanged } from '../../src/store/store.js'
import { dialect, newDatabase, onPostgres, onSqlite } from '../support/any-database.js'
import { build } from '../support/build.js'
import { type Shell, shellOf } from '../support/shell.js'
import { newVersions } from '../support/view-versions.js'

const ada = { name: 'Ada', salary: 200_000, department: 'a' }

t.test('links and parts are of one snapshot, whoever writes between them', async (t) => {
  const { app, shell, create } = await setUp(t)
  await create(ada)
  const since = await stateOf(shell)
  await create({ ...ada, name: 'Bea' })
  const state = await stateOf(shell)

  let writes = 0
  const write = async () => {
    if (writes++ === 0) await shell.run("UPDATE employees SET name = 'Late'")
  }
  if (dialect === 'sqlite') {
    const { open } = Snapshots.prototype
    t.teardown(() => Object.assign(Snapshots.prototype, { open }))
    Snapshots.prototype.open = async function (use) {
      const snapshot = await open.call(this, use)
      const { all } = snapshot
      const patched = (sql: string, ...values: unknown[]) => {
        // On another connection, and done when it returns.
        if (!sql.includes('view_changes')) write()
        return all(sql, ...values)
      }
      return { ...snapshot, all: patched as typeof all }
    }
  } else {
    const { query } = Connection.prototype
    t.teardown(() => Object.assign(Connection.prototype, { query }))
    Connection.prototype.query = async function (text, values, name) {
      if (name?.startsWith('part of')) await write()
      return query.call(this, text, values, name) as never
    }
  }
  const changed = await app.views.readChanges(top2ByDepartment, since, 10)
  t.equal(writes, 1)
  t.match(changed, state)
  t.strictSame(shown(changed), [['a', [1, 'Ada'], [2, 'Bea']]])
  t.not((await stateOf(shell)).version, state.version, 'a later state is there')
})

t.test('what changed is told by its parts: before, after, and none that is gone', async (t) => {
  const { app, shell, create, since } = await setUp(t)
  await create(ada)
  await create({ ...ada, department: 'b' })
  t.strictSame(shown(await since()), [
    ['a', [1, 'Ada']],
    ['b', [2, 'Ada']],
  ])

  await app.inject({ method: 'PATCH', url: '/employees/1', payload: { department: 'c' } })
  t.strictSame(shown(await since()), [['a'], ['c', [1, 'Ada']]])
  await app.inject({ method: 'DELETE', url: '/employees/2' })
  t.strictSame(shown(await since()), [['b']])
  t.strictSame(shown(await since()), [], 'nothing has')

  const before = await stateOf(shell, highSalary.name)
  await shell.run(
    "INSERT INTO employees (id, name, salary, department) VALUES (2047, 'x', 1e6, 'd'), (2048, 'y', 1e6, 'd')",
  )
  const blocks = shown(await app.views.readChanges(highSalary, before, 10))
  t.strictSame(blocks, [
    [1, [2047, 'x']],
    [2, [2048, 'y']],
  ])
})

t.test('what nobody can tell is not told', async (t) => {
  const { app, shell, create, since } = await setUp(t)
  await create(ada)
  await since()

  await shell.run(newVersions(dialect))
  t.equal(await since(), undefined, 'a version by hand says nothing of what changed')
  await shell.run(newVersions(dialect))
  await create({ ...ada, salary: 250_000 })
  t.equal(await since(), undefined, 'and no later one makes up for it')

  await create(ada)
  t.not(await since(), undefined)
  await shell.run(`UPDATE view_versions SET links = 3; ${newVersions(dialect)}`)
  await since()
  for (const [creations, isTold] of [
    [2, true],
    [3, false],
  ] as const) {
    for (let i = 0; i < creations; i++) await create({ ...ada, salary: 300_000 })
    t.equal((await since()) !== undefined, isTold, `after ${creations} of 3 links`)
  }

  await create({ ...ada, department: 'b' })
  await create({ ...ada, department: 'c' })
  t.equal(await since(1), undefined, 'they are too many')
  await create({ ...ada, department: 'd' })
  await create({ ...ada, department: 'e' })
  await shell.all(
    `DELETE FROM view_changes WHERE view = ?
     AND number = (SELECT number - 1 FROM view_versions WHERE view = view_changes.view)`,
    top2ByDepartment.name,
  )
  t.equal(await since(), undefined, 'there is a gap')

  await t.rejects(
    shell.run('UPDATE view_versions SET number = number - 1'),
    /the number of a version only grows/,
  )
  const foreign = { version: 'f'.repeat(32), number: (await stateOf(shell)).number }
  t.equal(await app.views.readChanges(top2ByDepartment, foreign, 10), undefined)
})

t.test(
  'SQLite: what a shell wrote that is no UTF-8 is not told by its parts',
  onSqlite,
  async (t) => {
    const { shell, since } = await setUp(t)
    await since()
    await shell.run(
      "INSERT INTO employees (name, salary, department) VALUES ('x', 1, CAST(x'61ff' AS text))",
    )
    t.equal(await since(), undefined)
  },
)

t.test('SQLite: a statement with an OR clause changes views as any other', onSqlite, async (t) => {
  const { shell, since } = await setUp(t)
  await shell.run('UPDATE view_versions SET links = 2')
  for (const clause of ['ABORT', 'FAIL', 'IGNORE', 'REPLACE', 'ROLLBACK']) {
    for (let i = 0; i < 3; i++) {
      await since()
      await shell.run(
        `INSERT OR ${clause} INTO employees (name, salary, department) VALUES ('x', 1e6, '${clause}')`,
      )
      t.equal((await since())?.parts[0]?.[0], clause)
      await shell.run(
        `UPDATE OR ${clause} employees SET salary = salary + 1 WHERE department = '${clause}' AND id % 3 = 0`,
      )
    }
  }
})

t.test(
  'PostgreSQL: a statement of many rows or many parts says that anything may have changed',
  onPostgres,
  async (t) => {
    const { shell, since } = await setUp(t)
    const insert = (rows: number, department: string) =>
      shell.run(`INSERT INTO employees (name, salary, department)
      SELECT 'x', 200000, ${department} FROM generate_series(1, ${rows}) AS numbers (i)`)
    for (const [rows, department, parts] of [
      [1000, "'a'", 1],
      [1001, "'a'", undefined],
      [100, 'i::text', 100],
      [101, 'i::text', undefined],
    ] as const) {
      await since()
      await insert(rows, department)
      t.equal((await since(1000))?.parts.length, parts, `${rows} rows, ${department}`)
      await shell.run('TRUNCATE employees')
      t.equal(await since(), undefined)
    }
  },
)

async function setUp(t: Test) {
  const app = await build(t, { databaseUrl: await newDatabase(t) })
  const shell = await shellOf(t, app)
  let last = await stateOf(shell)
  return {
    app,
    shell,
    create: (payload: object) => app.inject({ method: 'POST', url: '/employees', payload }),
    /** What changed of the ranking since this was asked last. */
    async since(atMost = 10): Promise<ViewChanged | undefined> {
      const from = last
      last = await stateOf(shell)
      return app.views.readChanges(top2ByDepartment, from, atMost)
    },
  }
}

/** The version of a view, or one that is some versions away. */
async function stateOf(shell: Shell, view = top2ByDepartment.name, away = 0) {
  const [state] = await shell.all<{ version: string; number: number }>(
    `SELECT version, number FROM view_changes
     WHERE view = ? AND number = (SELECT number FROM view_versions WHERE view = ?) + ?`,
    view,
    view,
    away,
  )
  if (!state) throw new Error(`${view} has no such version`)
  return state
}

/** The parts that changed, with the ids and names of whom each shows. */
function shown(changed: ViewChanged | undefined) {
  return changed?.parts
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([part, json]) => [
      part,
      ...JSON.parse(`[${json}]`).map(({ id, name }: { id: number; name: string }) => [id, name]),
    ])
}
