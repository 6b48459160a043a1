import type Sqlite from 'better-sqlite3'
import type { Employee } from '../../src/store/store.js'

/** What a view must show, found in another way than by its own query. */
export type Oracle = (client: Sqlite.Database) => Employee[]

/** By the name of the view; a view may have none. */
export const oracles: Record<string, Oracle> = {
  high_salary_emps: (client) =>
    (client.prepare('SELECT * FROM employees').all() as Employee[])
      .filter(({ salary }) => salary > 100_000)
      .sort((one, other) => one.id - other.id),

  top2_by_dept: (client) =>
    client
      .prepare<[], Employee>(
        `SELECT id, name, salary, department FROM (
           SELECT *, rank() OVER (PARTITION BY department ORDER BY salary DESC) AS place FROM employees
         ) WHERE place <= 2 ORDER BY department, salary DESC, id`,
      )
      .all(),
}

/** The views that have a new version exactly when they show something else: no write evicts in vain. */
export const exact: ReadonlySet<string> = new Set(['high_salary_emps', 'top2_by_dept'])
