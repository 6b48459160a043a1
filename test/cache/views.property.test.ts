import fc from 'fast-check'
import t from 'tap'
import type { Employee } from '../../src/employees/schemas.js'
import { type App, buildOverRedis } from '../support/build.js'
import { PLAIN_SQL } from '../support/plain-sql.js'
import { redisUrl } from '../support/redis-server.js'

const views = [
  {
    view: 'high_salary_emps',
    path: '/employees/high-salary',
    sql: PLAIN_SQL.high_salary_emps,
  },
  {
    view: 'top2_by_dept',
    path: '/employees/top2-by-department',
    sql: PLAIN_SQL.top2_by_dept,
  },
]

// Few salaries and departments, so that ties, thresholds and last ones of a department are common.
const salary = fc.constantFrom(0, 1, 50_000, 99_999.99, 100_000, 100_000.01, 120_000, 120_001, 1e12)
const department = fc.constantFrom('a', 'b', 'ä')
const name = fc.constantFrom('x', 'y')
const fields = fc.record({ name, salary, department })
const id = fc.integer({ min: 1, max: 12 })

interface Write {
  /** Whether it changes one row at most, so that a view has a new version if and only if it shows something else. */
  single: boolean
  run: (app: App) => unknown
}

const http = (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
  ({
    single: true,
    run: (app) => app.inject({ method, url, ...(payload && { payload }) }),
  }) as Write
const sql = (statement: string, ...values: unknown[]) =>
  ({ single: false, run: (app) => app.db.$client.prepare(statement).run(...values) }) as Write

const write: fc.Arbitrary<Write> = fc.oneof(
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

t.test(
  'after any writes both views, as served, equal plain SQL, and only what changed is evicted',
  async (t) => {
    const app = await buildOverRedis(t, { redisUrl: await redisUrl(t) })
    let steps = 0

    const property = fc.asyncProperty(
      fc.array(write, { minLength: 5, maxLength: 25 }),
      async (writes) => {
        app.db.$client.exec('DELETE FROM employees; DELETE FROM sqlite_sequence')
        let before = await look(app)
        for (const { single, run } of writes) {
          await run(app)
          const now = await look(app)
          for (const [i, { served, expected, version }] of now.entries()) {
            same(served, expected, `${views[i]?.path} as served`)
            const was = before[i] as (typeof now)[number]
            const changed = JSON.stringify(was.expected) !== JSON.stringify(expected)
            if (changed || single) same(version !== was.version, changed, 'a new version')
          }
          before = now
          steps++
        }
      },
    )
    await fc.assert(property, { numRuns: 60 })
    t.ok(steps >= 300, `${steps} steps`)
  },
)

/** Reads each view twice (a fill or a hit, then a hit), and what plain SQL says of the same data. */
async function look(app: App) {
  return Promise.all(
    views.map(async ({ view, path, sql }) => {
      const first = await app.inject(path)
      const second = await app.inject(path)
      same(first.statusCode, 200, 'status')
      same(second.headers['cache-status']?.toString().startsWith('employees; hit;'), true, 'a hit')
      same(second.body, first.body, 'the second answer')
      const expected = app.db.$client.prepare(sql).all() as Employee[]
      return { served: first.json(), expected, version: await app.employees.version(view) }
    }),
  )
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}
