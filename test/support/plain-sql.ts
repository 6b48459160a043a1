/** What the two views must show, as SQL without the indexes, triggers and tricks of the service. */
export const PLAIN_SQL = {
  high_salary_emps: `
    SELECT id, name, salary, department FROM employees WHERE salary > 100000 ORDER BY id`,
  top2_by_dept: `
    SELECT id, name, salary, department FROM (
      SELECT *, rank() OVER (PARTITION BY department ORDER BY salary DESC) AS place FROM employees
    ) WHERE place <= 2 ORDER BY department, salary DESC, id`,
}
