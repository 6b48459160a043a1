import { EmployeeCreate } from '../employees/schemas.js'
import { buildValidator } from '../http/validation.js'
import { problemOf } from '../problems/problem.js'
import type { Fields } from './rows.js'
import { parseSalary } from './salary.js'

const build = buildValidator({}, {})
const isEmployee = build({
  schema: EmployeeCreate,
  httpPart: 'body',
  method: 'POST',
  url: '/employees',
})

/**
 * The employee that a row holds, by the very rules of the API; salaries may be text.
 *
 * @param number of the row: an employee without a name column is called by it
 * @returns what is wrong, each with the field, the rule and the value, if there is no such employee
 */
export function readEmployee(fields: Fields, number: number): EmployeeCreate | string[] {
  const { salary, department } = fields
  const name = 'name' in fields ? fields.name : `Employee ${number}`
  const amount = typeof salary === 'string' ? parseSalary(salary) : salary
  if (typeof salary === 'string' && amount === undefined) {
    // Any salary that is right in its place lets the other fields be judged with it.
    const others = faults({ name, salary: 0, department })
    const got = JSON.stringify(salary.slice(0, 60))
    return [`salary must be a number such as 123456.78 or $123,456.78, got ${got}`, ...others]
  }
  const employee = { name, salary: amount, department }
  const wrong = faults(employee)
  return wrong.length > 0 ? wrong : (employee as EmployeeCreate)
}

function faults(employee: Record<keyof EmployeeCreate, unknown>): string[] {
  if (isEmployee(employee)) return []
  // In the API's own words.
  const failed = { validation: isEmployee.errors, validationContext: 'row' }
  const problem = problemOf(failed as unknown as Parameters<typeof problemOf>[0], '')
  const errors = 'errors' in problem ? problem.errors : []
  return errors.map(({ path, message }) => `${path.replace('/row/', '')} ${message}`)
}
