import fc from 'fast-check'
import t, { type Test } from 'tap'
import { defineView, type View } from '../../drizzle/define-view.js'
import { Body } from '../../src/cache/body.js'
import { isOrdered, joinParts } from '../../src/cache/parts.js'
import { sqliteDialect } from '../../src/store/sqlite/dialect.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import { createSqliteStore } from '../../src/store/sqlite/sqlite-store.js'
import type { ViewStore } from '../../src/store/store.js'
import { generate } from '../../src/store/views/generate.js'
import { dialect, newDatabase } from '../support/any-database.js'
import { postgresStore } from '../support/open-postgres.js'
import { openShell, type Shell } from '../support/shell.js'

/** Definitions of other shapes than those of the service: without a condition, by any column. */
const VIEWS = [
  defineView('payroll', {
    reads: ['department', 'salary'],
    sql: `SELECT department, count(*) AS employees, sum(salary) AS payroll
      FROM employees GROUP BY department ORDER BY department`,
    parts: { by: 'department' },
  }),
  defineView('by_salary', {
    reads: ['id', 'salary', 'name'],
    sql: 'SELECT id, salary, name FROM employees WHERE salary > 1 ORDER BY salary, id',
    parts: { by: 'salary' },
  }),
  defineView('by_id', {
    reads: ['id', 'department'],
    sql: 'SELECT id, department FROM employees ORDER BY id',
    parts: { by: 'id', size: 3 },
  }),
  defineView('by_name', {
    reads: ['name', 'id'],
    sql: "SELECT name, id FROM employees WHERE name <> 'x' ORDER BY name, id",
    matters: (row) => `${row}.name <> 'x'`,
    parts: { by: 'name' },
  }),
]

const name = fc.constantFrom('x', 'y', 'ä', '\u{1f389}', '\uff5e')
const salary = fc.constantFrom(0, 1, 2, 2.5, 1e12)
const department = fc.constantFrom('a', 'b', "it's", '\u{1f389}', '\uff5e')
const id = fc.integer({ min: 1, max: 9 })

const REPLACE = {
  sqlite: 'INSERT OR REPLACE INTO employees VALUES (?, ?, ?, ?)',
  postgres: `INSERT INTO employees VALUES (?, ?, ?, ?) ON CONFLICT (id)
    DO UPDATE SET name = excluded.name, salary = excluded.salary, department = excluded.department`,
}
const write = fc.oneof(
  fc.tuple(fc.constant(REPLACE[dialect]), fc.tuple(id, name, salary, department)),
  fc.tuple(fc.constant('UPDATE employees SET salary = ? WHERE id = ?'), fc.tuple(salary, id)),
  fc.tuple(
    fc.constant('UPDATE employees SET department = ? WHERE id >= ?'),
    fc.tuple(department, id),
  ),
  fc.tuple(fc.constant('UPDATE employees SET name = ? WHERE salary > ?'), fc.tuple(name, salary)),
  fc.tuple(fc.constant('DELETE FROM employees WHERE id = ?'), fc.tuple(id)),
)

t.test('a view of any shape is made of its parts as a fill would have it', async (t) => {
  const { store, shell } = await setUp(t)
  let made = 0
  const property = fc.asyncProperty(
    fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
    async (rounds) => {
      const last = new Map<View, Awaited<ReturnType<typeof whole>>>()
      for (const view of VIEWS) last.set(view, await whole(store, view))
      for (const writes of rounds) {
        for (const [statement, values] of writes) await shell.all(statement, ...values)
        for (const view of VIEWS) {
          const before = last.get(view)
          const expected = await whole(store, view)
          const changed = before && (await store.readChanges(view, before, 1000))
          if (!changed) throw new Error(`${view.name}: nobody can tell what changed`)
          const { body } = joinParts(before, changed.parts)
          if (!body.whole().equals(expected.body.whole()) || changed.version !== expected.version) {
            throw new Error(`${view.name}: ${body.whole()} is not ${expected.body.whole()}`)
          }
          if (!isOrdered(expected.index)) throw new Error(`${view.name} is out of order`)
          last.set(view, expected)
          made++
        }
      }
    },
  )
  await fc.assert(property, { numRuns: 40 })
  t.ok(made > 100, `${made} times`)
})

t.test('parts that cannot be are refused', async (t) => {
  const definition = { reads: ['salary'], sql: 'SELECT salary FROM employees' } as const
  for (const [parts, says] of [
    [{ by: 'department' }, 'The view payroll has parts by department, which it does not read'],
    [
      { by: 'salary', size: 2 },
      'Only parts by id have a size, a whole number from 1 on: not those of payroll',
    ],
  ] as const) {
    t.throws(() => defineView('payroll', { ...definition, parts }), { message: says })
  }
})

t.test(
  'a view that does not show what it is divided by, or whose parts are no query, is refused',
  async (t) => {
    const definition = {
      reads: ['id', 'department'],
      sql: 'SELECT id FROM employees ORDER BY id',
    } as const
    const hidden = defineView('hidden', { ...definition, parts: { by: 'department' } })
    await t.rejects(setUp(t, [hidden]), {
      message: 'The view hidden has parts by department, which it does not show (id)',
    })
    const broken = defineView('broken', {
      ...definition,
      parts: { by: 'id', sql: (part) => `SELECT id FROM employees WHERE nothing = ${part}` },
    })
    await t.rejects(setUp(t, [broken]), /nothing/)
  },
)

async function whole(store: ViewStore, view: View) {
  const stream = await store.read(view)
  const body = Body.of(await stream.toArray())
  const { version, number, index } = stream
  if (!index) throw new Error(`${view.name} has no parts`)
  return { version, number, body, index }
}

async function setUp(t: Test, definitions = VIEWS): Promise<{ store: ViewStore; shell: Shell }> {
  if (dialect === 'postgres') {
    const { store, url } = await postgresStore(t, {}, undefined, { views: definitions })
    return { store: store.views, shell: await openShell(t, url) }
  }
  const views = definitions.map((view) => generate(view, sqliteDialect))
  const url = await newDatabase(t)
  const db = openSqlite(url, { views })
  const store = createSqliteStore(db, { views })
  t.teardown(() => db.$client.close())
  t.teardown(() => store.close())
  return { store: store.views, shell: await openShell(t, url) }
}
