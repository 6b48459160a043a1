import fc from 'fast-check'
import type { Dialect, View } from '../../drizzle/define-view.js'
import { dialect } from './any-database.js'
import type { App } from './build.js'
import type { Shell } from './shell.js'
import { namedIn } from './shown-views.js'

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

export interface Write {
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

/**
 * Writes, of employees as they matter to a view.
 *
 * @param before the id in front of those that are written to
 */
export function writesFor(view: View, before = 0): fc.Arbitrary<Write> {
  const { name, salary, department } = employeesFor(view)
  const fields = fc.record({ name, salary, department })
  const id = fc.integer({ min: before + 1, max: before + 12 })
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
