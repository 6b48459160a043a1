import fc from 'fast-check'
import t from 'tap'
import type { View } from '../../drizzle/define-view.js'
import { type App, buildOverRedis } from '../support/build.js'
import { exact, oracles } from '../support/oracles.js'
import { redisUrl } from '../support/redis-server.js'
import { expectedRows, namedIn, type ShownView, shownViews } from '../support/shown-views.js'
import { sqliteOf } from '../support/sqlite-of.js'

/** The new versions are for a view whose triggers miss the end of everybody: each run fails for itself. */
const FROM_THE_START = `
  DELETE FROM employees;
  DELETE FROM sqlite_sequence;
  UPDATE view_versions SET version = lower(hex(randomblob(16)))`

interface Write {
  /** Whether it changes one row at most, so that a view has a new version if and only if it shows something else. */
  single: boolean
  run: (app: App) => unknown
  /** What a counterexample shows of it. */
  [fc.toStringMethod]: () => string
}

const http = (
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  payload?: object,
): Write => ({
  single: true,
  run: (app) => app.inject({ method, url, ...(payload && { payload }) }),
  [fc.toStringMethod]: () => `${method} ${url} ${JSON.stringify(payload) ?? ''}`.trim(),
})
const sql = (statement: string, ...values: unknown[]): Write => ({
  single: false,
  run: (app) =>
    sqliteOf(app.db)
      .prepare(statement)
      .run(...values),
  [fc.toStringMethod]: () => `${statement} ${JSON.stringify(values)}`,
})

/** Writes, of employees as they matter to a view. */
function writesFor(view: View): fc.Arbitrary<Write> {
  const { name, salary, department } = employeesFor(view)
  const fields = fc.record({ name, salary, department })
  const id = fc.integer({ min: 1, max: 12 })
  return fc.oneof(
    { weight: 5, arbitrary: fields.map((body) => http('POST', '/employees', body)) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          fc.constantFrom('PUT' as const, 'PATCH' as const),
          id,
          fc.record({ name, salary, department }, { requiredKeys: [] }),
        )
        .map(([method, id, body]) => http(method, `/employees/${id}`, body)),
    },
    { weight: 2, arbitrary: id.map((id) => http('DELETE', `/employees/${id}`)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(salary, department)
        .map((values) => sql('UPDATE employees SET salary = ? WHERE department = ?', ...values)),
    },
    {
      weight: 1,
      arbitrary: department.map((value) =>
        sql(
          'UPDATE employees SET salary = 100001 - salary WHERE salary < 100001 AND department <> ?',
          value,
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: salary.map((value) => sql('DELETE FROM employees WHERE salary > ?', value)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(id, fields)
        .map(([id, row]) =>
          sql(
            'INSERT OR REPLACE INTO employees VALUES (?, ?, ?, ?)',
            id,
            row.name,
            row.salary,
            row.department,
          ),
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fields, department)
        .map(([row, other]) =>
          sql(
            'INSERT INTO employees (name, salary, department) VALUES (?, ?, ?), (?, ?, ?)',
            row.name,
            row.salary,
            row.department,
            row.name,
            row.salary,
            other,
          ),
        ),
    },
  )
}

/**
 * Few salaries and departments, so that ties, thresholds and last ones of a department are common; and
 * what the definition names, since nobody knows here what a view is about.
 */
function employeesFor(view: View) {
  const { salaries, words } = namedIn(view)
  return {
    name: fc.constantFrom('x', 'y', ...words),
    salary: fc.oneof(
      fc.constantFrom(0, 1, 50_000, 99_999.99, 100_000, 100_000.01, 120_000, 120_001, 1e12),
      fc.constantFrom(0, ...salaries),
      fc.integer({ min: 0, max: 500_000 }),
      // Of any magnitude.
      fc.integer({ min: 0, max: 11 }).chain((digits) => fc.integer({ min: 0, max: 10 ** digits })),
    ),
    department: fc.constantFrom('a', 'b', 'ä', ...words),
  }
}

for (const shown of shownViews) {
  const { name } = shown.view
  const isCoarse = shown.view.definition.matters === undefined
  const rule = exact.has(name) ? 'exactly when it shows something else' : 'whenever that may be'
  t.test(`after any writes ${name} is never stale, and has a new version ${rule}`, async (t) => {
    const app = await buildOverRedis(t, { redisUrl: await redisUrl(t) })
    let steps = 0

    const property = fc.asyncProperty(
      fc.array(writesFor(shown.view), { minLength: 1, maxLength: 25, size: 'max' }),
      async (writes) => {
        sqliteOf(app.db).exec(FROM_THE_START)
        let before = await look(app, shown)
        for (const { single, run } of writes) {
          await run(app)
          const now = await look(app, shown)
          same(now.served, now.expected, `${name} as served`)
          const changed = JSON.stringify(before.expected) !== JSON.stringify(now.expected)
          const due = isCoarse ? JSON.stringify(before.read) !== JSON.stringify(now.read) : changed
          if (changed || (single && (isCoarse || exact.has(name)))) {
            same(now.version !== before.version, due, `${name}: a new version`)
          }
          before = now
          steps++
        }
      },
    )
    await fc.assert(property, { numRuns: 40 })
    t.ok(steps >= 200, `${steps} steps`)
  })
}

/** Reads a view twice (a fill or a hit, then a hit), and what must be true of it now. */
async function look(app: App, { view, path }: ShownView) {
  const client = sqliteOf(app.db)
  const first = await app.inject(path)
  const second = await app.inject(path)
  same(first.statusCode, 200, 'status')
  same(second.headers['cache-status']?.toString().startsWith('employees; hit;'), true, 'a hit')
  same(second.body, first.body, 'the second answer')
  const expected = expectedRows(client, view)
  const oracle = oracles[view.name]
  if (oracle) same(expected, oracle(client), `${view.name} by its own query`)
  return {
    served: first.json(),
    expected,
    /** What a view without a predicate may depend on. */
    read: client.prepare(`SELECT id, ${view.definition.reads} FROM employees ORDER BY id`).all(),
    version: await app.views.version(view),
  }
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}
