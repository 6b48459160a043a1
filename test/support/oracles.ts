import type { Employee } from '../../src/store/store.js'
import type { Shell } from './shell.js'

/** What a view must show, found in another way than by its own query. */
export type Oracle = (shell: Shell) => Promise<Employee[]>

/** By the name of the view; a view may have none. */
export const oracles: Record<string, Oracle> = {
  high_salary_emps: async (shell) =>
    (await shell.all<Employee>('SELECT * FROM employees'))
      .filter(({ salary }) => salary > 100_000)
      .sort((one, other) => one.id - other.id),

  top2_by_dept: (shell) =>
    shell.all(
      `SELECT id, name, salary, department FROM (
         SELECT *, rank() OVER (PARTITION BY department ORDER BY salary DESC) AS place FROM employees
       ) AS ranked WHERE place <= 2 ORDER BY department, salary DESC, id`,
    ),
}

/** The views that have a new version exactly when they show something else: no write evicts in vain. */
export const exact: ReadonlySet<string> = new Set(['high_salary_emps', 'top2_by_dept'])
