import { defineView } from '../define-view.js'

/**
 * Every employee whose rank() by salary within the department is 1 or 2, by department, salary
 * descending, id.
 *
 * rank() <= 2 is "fewer than two rows of the department earn strictly more", which is "at or above the
 * salary of the second row from the top". So there is no window over the table but a loose index scan:
 * the next department by one seek, its second salary by another, and then only the rows of the answer.
 */
export const top2ByDepartment = defineView('top2_by_dept', {
  reads: ['id', 'name', 'salary', 'department'],
  sql: (dialect) => SQL[dialect],
  // At most one colleague earns more: OFFSET 1 asks the index for a second one.
  matters: (row) => `NOT EXISTS (
    SELECT 1 FROM employees AS other
    WHERE other.department = ${row}.department AND other.salary > ${row}.salary AND other.id <> ${row}.id
    LIMIT 1 OFFSET 1
  )`,
  parts: { by: 'department', sql: ofDepartment },
})

/** The top two of one department: picking them from the whole would look at every department. */
function ofDepartment(department: string): string {
  return `
    SELECT id, name, salary, department FROM employees
    WHERE department = ${department} AND salary >= coalesce(
      (SELECT second.salary FROM employees AS second WHERE second.department = ${department}
       ORDER BY second.salary DESC LIMIT 1 OFFSET 1),
      0
    )
    ORDER BY salary DESC, id`
}

const SQL = {
  // The subquery tells SQLite in which order departments come, so that it sorts the rows of each one and
  // not all of them before it gives the first: others have their turn meanwhile. LIMIT -1, which limits
  // nothing, keeps it from leaving the order of a subquery out.
  sqlite: `
    WITH RECURSIVE departments (department) AS (
      SELECT min(department) FROM employees
      UNION ALL
      SELECT (SELECT min(next.department) FROM employees AS next WHERE next.department > departments.department)
      FROM departments WHERE department IS NOT NULL
    )
    SELECT e.id, e.name, e.salary, e.department
    FROM (SELECT department FROM departments ORDER BY department LIMIT -1) AS each
    CROSS JOIN employees AS e INDEXED BY employees_by_department_salary
      ON e.department = each.department
      AND e.salary >= ifnull(
        (SELECT salary FROM employees WHERE department = each.department ORDER BY salary DESC LIMIT 1 OFFSET 1),
        0
      )
    ORDER BY each.department, e.salary DESC, e.id`,

  // PostgreSQL is told to go department by department by LATERAL, and to seek by ORDER BY with LIMIT.
  postgres: `
    WITH RECURSIVE departments (department) AS (
      (SELECT department FROM employees ORDER BY department LIMIT 1)
      UNION ALL
      SELECT (
        SELECT next.department FROM employees AS next
        WHERE next.department > departments.department ORDER BY next.department LIMIT 1
      )
      FROM departments WHERE departments.department IS NOT NULL
    )
    SELECT e.id, e.name, e.salary, e.department
    FROM departments
    CROSS JOIN LATERAL (
      SELECT coalesce(
        (SELECT second.salary FROM employees AS second WHERE second.department = departments.department
         ORDER BY second.salary DESC LIMIT 1 OFFSET 1),
        0
      ) AS salary
    ) AS bar
    CROSS JOIN LATERAL (
      SELECT id, name, salary, department FROM employees
      WHERE employees.department = departments.department AND employees.salary >= bar.salary
    ) AS e
    ORDER BY e.department, e.salary DESC, e.id`,
}
