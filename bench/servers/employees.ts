/**
 * The ranking as a window over the whole table, which is how the service began and how it is mostly
 * written.
 */
export const TOP_2_BY_WINDOW = `
  SELECT id, name, salary, department FROM (
    SELECT *, RANK() OVER (PARTITION BY department ORDER BY salary DESC) AS place FROM employees
  ) WHERE place <= 2 ORDER BY department, salary DESC, id`

/**
 * What remembers the employees as they are, and puts them back.
 *
 * @param exec runs a statement, always on the same connection
 */
export function keepAndRestore(exec: (sql: string) => unknown) {
  return {
    async keep() {
      await exec('CREATE TEMP TABLE original AS SELECT * FROM employees')
    },
    async restore() {
      await exec('DELETE FROM employees WHERE id > (SELECT max(id) FROM original)')
      await exec(`
        UPDATE employees SET salary = original.salary FROM original
        WHERE employees.id = original.id AND employees.salary <> original.salary`)
    },
  }
}
