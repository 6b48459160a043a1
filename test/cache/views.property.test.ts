import fc from 'fast-check'
import t from 'tap'
import type { Dialect, View } from '../../drizzle/define-view.js'
import { dialect } from '../support/any-database.js'
import { type App, buildOverRedis } from '../support/build.js'
import { exact, oracles } from '../support/oracles.js'
import { redisUrl } from '../support/redis-server.js'
import { type Shell, shellOf } from '../support/shell.js'
import { expectedRows, namedIn, type ShownView, shownViews } from '../support/shown-views.js'
import { newVersions } from '../support/view-versions.js'

/** The new versions are for a view whose triggers miss the end of everybody: each run fails for itself. */
const FROM_THE_START: Record<Dialect, string> = {
  sqlite: `DELETE FROM employees; DELETE FROM sqlite_sequence; ${newVersions('sqlite')}`,
  postgres: `TRUNCATE employees RESTART IDENTITY; ${newVersions('postgres')}`,
}

/** Puts a row in the place of one, in the words of SQLite alone and of PostgreSQL alone. */
const REPLACE: Record<Dialect, string> = {
  sqlite: 'INSERT OR REPLACE INTO employees VALUES (?, ?, ?, ?)',
  postgres: `WITH gone AS (DELETE FROM employees WHERE id = ? RETURNING id)
    INSERT INTO employees SELECT id, ?, ?, ? FROM gone`,
}
/** The same in the words of both; of somebody who is there, since PostgreSQL gives ids without a look at them. */
const UPSERT = `INSERT INTO employees SELECT id, ?, ?, ? FROM employees WHERE id = ?
  ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, salary = excluded.salary, department = excluded.department`

interface Write {
  /** Whether it changes one row at most, so that a view has a new version if and only if it shows something else. */
  single: boolean
  run: (app: App, shell: Shell) => unknown
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
  run: (_app, shell) => shell.all(statement, ...values),
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
        .map(([id, row]) => sql(REPLACE[dialect], id, row.name, row.salary, row.department)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(id, fields)
        .map(([id, row]) => sql(UPSERT, row.name, row.salary, row.department, id)),
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
    const shell = await shellOf(t, app)
    let steps = 0

    const property = fc.asyncProperty(
      fc.array(writesFor(shown.view), { minLength: 1, maxLength: 25, size: 'max' }),
      async (writes) => {
        await shell.run(FROM_THE_START[dialect])
        let before = await look(app, shell, shown)
        for (const { single, run } of writes) {
          await run(app, shell)
          const now = await look(app, shell, shown)
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
async function look(app: App, shell: Shell, { view, path }: ShownView) {
  const first = await app.inject(path)
  const second = await app.inject(path)
  same(first.statusCode, 200, 'status')
  same(second.headers['cache-status']?.toString().startsWith('employees; hit;'), true, 'a hit')
  same(second.body, first.body, 'the second answer')
  const expected = await expectedRows(shell, view)
  const oracle = oracles[view.name]
  if (oracle) same(expected, await oracle(shell), `${view.name} by its own query`)
  return {
    served: first.json(),
    expected,
    /** What a view without a predicate may depend on. */
    read: await shell.all(`SELECT id, ${view.definition.reads} FROM employees ORDER BY id`),
    version: await app.views.version(view),
  }
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}
