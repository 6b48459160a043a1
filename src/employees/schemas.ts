import { type Static, Type } from '@sinclair/typebox'
import { ref } from '../problems/schemas.js'

/**
 * Controls. Patterns mean the same with the `u` flag and without, since clients take either: so they
 * name no surrogates, whose pairs a client without the flag would refuse; src/http/validation.ts does.
 */
const NEVER = '\\u0000-\\u001F\\u007F-\\u009F'
/** The embeddings, overrides and isolates of the bidirectional algorithm (UAX #9, section 2). */
const MISLEADING = '\\u202A-\\u202E\\u2066-\\u2069'
/** The spaces of Unicode, and what has no width. */
const UNSEEN =
  ' \\u00A0\\u00AD\\u061C\\u1680\\u180E\\u2000-\\u200F\\u2028\\u2029\\u202F\\u205F-\\u2064\\u3000\\uFEFF'

/** Text that is read back as it was written: well-formed Unicode without control characters. */
const text = (what: string, example: string) =>
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: `^[^${NEVER}]*$`,
    description: `${what}: 1 to 100 characters (code points), no control characters, no lone surrogates`,
    examples: [example],
  })

/**
 * Text as it may be written: some of it can be seen, and nothing shows a list of salaries in another
 * order than it has. The marks that Arabic and Hebrew need (U+061C, U+200E, U+200F) may be in it. The
 * pattern has one way through a text, so that it takes linear time; the length alone is told of none.
 */
const newText = (what: string, example: string) =>
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: `^(?:[${UNSEEN}]*[^${UNSEEN}${MISLEADING}${NEVER}][^${MISLEADING}${NEVER}]*)?$`,
    description: `${what}: 1 to 100 characters (code points), not all of them blank, no control characters, no lone surrogates, no bidirectional embeddings, overrides or isolates`,
    examples: [example],
  })

const fields = (text: typeof newText) => ({
  name: text('Name', 'Ada Lovelace'),
  salary: Type.Number({
    minimum: 0,
    maximum: 1e12,
    description: 'Yearly salary, kept to the last bit of the double',
    examples: [120000],
  }),
  department: text('Department', 'Engineering'),
})
const writable = fields(newText)

export const Department = text('Department', 'Engineering')

export const EmployeeId = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Identifies an employee; given by the service, never given twice',
  examples: [1],
})

const ada = { name: 'Ada Lovelace', salary: 120000, department: 'Engineering' }
const tom = { name: 'Tom Jones', salary: 52000, department: 'Sales' }

export const Employee = Type.Object(
  { id: EmployeeId, ...fields(text) },
  {
    $id: 'Employee',
    additionalProperties: false,
    description: 'An employee',
    examples: [{ id: 1, ...ada }],
  },
)
export type Employee = Static<typeof Employee>

export const EmployeeCreate = Type.Object(writable, {
  $id: 'EmployeeCreate',
  additionalProperties: false,
  description: 'A new employee',
  examples: [ada],
})
export type EmployeeCreate = Static<typeof EmployeeCreate>

/** As many as a page has: what a process reads, writes and answers as a whole. */
export const MAX_AT_ONCE = 1000

export const EmployeeCreateList = Type.Array(ref(EmployeeCreate), {
  $id: 'EmployeeCreateList',
  minItems: 1,
  maxItems: MAX_AT_ONCE,
  description: `New employees, at most ${MAX_AT_ONCE}: all of them are created, or none`,
  examples: [[ada, tom]],
})

/** src/http/validation.ts judges by the one of them that a body can only mean. */
export const EmployeeCreation = Type.Unsafe<EmployeeCreate | EmployeeCreate[]>({
  $id: 'EmployeeCreation',
  oneOf: [ref(EmployeeCreate), ref(EmployeeCreateList)],
  description: 'A new employee, or an array of them',
  examples: [ada, EmployeeCreateList.examples?.[0]],
})

export const EmployeePatch = Type.Partial(Type.Object(writable), {
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

export const Imported = Type.Object(
  {
    count: Type.Integer({ minimum: 1, description: 'How many were created' }),
    first: { ...EmployeeId, description: 'The id of the employee of the first line' },
    last: { ...EmployeeId, description: 'That of the last line: those between follow each other' },
  },
  {
    $id: 'Imported',
    additionalProperties: false,
    description: 'What became of lines: employees by ascending id, in their order',
    examples: [{ count: 2, first: 1, last: 2 }],
  },
)
export type Imported = Static<typeof Imported>

export const Created = Type.Unsafe<Employee | Employee[] | Imported>({
  $id: 'Created',
  oneOf: [ref(Employee), ref(EmployeeList), ref(Imported)],
  description:
    'The new employee; for an array, the new employees in its order; for lines, how many there are, and their ids',
  examples: [{ id: 1, ...ada }],
})

/** What the API names of the domain: registered once, referenced everywhere. */
export const employeeComponents = [
  Employee,
  EmployeeCreate,
  EmployeeCreateList,
  EmployeeCreation,
  EmployeePatch,
  EmployeeList,
  Imported,
  Created,
  Deleted,
]
