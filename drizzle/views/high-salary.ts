import { defineView } from '../define-view.js'

/** What a high salary is above. The index `employees_high_salary` says it once more, for SQLite. */
const THRESHOLD = 100_000

/** Every employee with a high salary, by ascending id. */
export const highSalary = defineView('high_salary_emps', {
  reads: ['id', 'name', 'salary', 'department'],
  sql: `
    SELECT id, name, salary, department FROM employees WHERE salary > ${THRESHOLD} ORDER BY id`,
  matters: (row) => `${row}.salary > ${THRESHOLD}`,
  parts: { by: 'id', size: 1024 },
})
