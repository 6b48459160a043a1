import { type Static, Type } from '@sinclair/typebox'
import { ref } from '../problems/schemas.js'

/**
 * Text that is read back as it was written: well-formed Unicode without control characters. The
 * surrogate range matches lone surrogates only, since Ajv compiles patterns with the `u` flag.
 */
const TEXT = '^[^\\u0000-\\u001F\\u007F-\\u009F\\uD800-\\uDFFF]*$'

const text = (what: string, example: string) =>
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: TEXT,
    description: `${what}: 1 to 100 characters (code points), no control characters, no lone surrogates`,
    examples: [example],
  })

export const Department = text('Department', 'Engineering')

export const EmployeeId = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Identifies an employee; given by the service, never given twice',
  examples: [1],
})

const fields = {
  name: text('Name', 'Ada Lovelace'),
  salary: Type.Number({
    minimum: 0,
    maximum: 1e12,
    description: 'Yearly salary, kept to the last bit of the double',
    examples: [120000],
  }),
  department: Department,
}

const ada = { name: 'Ada Lovelace', salary: 120000, department: 'Engineering' }

export const Employee = Type.Object(
  { id: EmployeeId, ...fields },
  {
    $id: 'Employee',
    additionalProperties: false,
    description: 'An employee',
    examples: [{ id: 1, ...ada }],
  },
)
export type Employee = Static<typeof Employee>

export const EmployeeCreate = Type.Object(fields, {
  $id: 'EmployeeCreate',
  additionalProperties: false,
  description: 'A new employee',
  examples: [ada],
})
export type EmployeeCreate = Static<typeof EmployeeCreate>

export const EmployeePatch = Type.Partial(Type.Object(fields), {
  $id: 'EmployeePatch',
  additionalProperties: false,
  description: 'What changes of an employee; a field that is left out keeps its value',
  examples: [{ salary: 130000 }],
})
export type EmployeePatch = Static<typeof EmployeePatch>

export const EmployeeList = Type.Array(ref(Employee), {
  $id: 'EmployeeList',
  description: 'Employees',
  examples: [[{ id: 1, ...ada }]],
})

export const Deleted = Type.Object(
  { message: Type.Literal('Deleted') },
  { $id: 'Deleted', description: 'Confirms a deletion', examples: [{ message: 'Deleted' }] },
)

/** What the API names of the domain: registered once, referenced everywhere. */
export const employeeComponents = [Employee, EmployeeCreate, EmployeePatch, EmployeeList, Deleted]
