import { type Static, type TSchema, Type } from '@sinclair/typebox'

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

const problem = {
  type: Type.String({
    format: 'uri-reference',
    description: 'Kind of problem; about:blank: what the status says',
  }),
  title: Type.String({ description: 'The status in words' }),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: 'What went wrong this time, and what to do' }),
  instance: Type.String({
    format: 'uri-reference',
    description: 'The path that was asked for',
  }),
}

/** RFC 9457. */
export const Problem = Type.Object(problem, {
  $id: 'Problem',
  description: 'What went wrong (RFC 9457)',
  examples: [
    {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is no employee 7',
      instance: '/employees/7',
    },
  ],
})
export type Problem = Static<typeof Problem>

export const FieldError = Type.Object(
  {
    path: Type.String({
      description: 'JSON Pointer to what is wrong, from the request: /body/salary, /query/limit',
    }),
    message: Type.String({ description: 'The rule that it breaks, and the value' }),
  },
  {
    $id: 'FieldError',
    description: 'What is wrong with one field of the request',
    examples: [{ path: '/body/salary', message: 'must be >= 0, got -1' }],
  },
)

export const ValidationProblem = Type.Object(
  { ...problem, errors: Type.Array(ref(FieldError), { minItems: 1 }) },
  {
    $id: 'ValidationProblem',
    description: 'What is wrong with the request, field by field (RFC 9457)',
    examples: [
      {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: '/body/salary must be >= 0, got -1',
        instance: '/employees',
        errors: [{ path: '/body/salary', message: 'must be >= 0, got -1' }],
      },
    ],
  },
)
export type ValidationProblem = Static<typeof ValidationProblem>

/** Everything that the API names: registered once, referenced everywhere. */
export const components = [
  Employee,
  EmployeeCreate,
  EmployeePatch,
  EmployeeList,
  Deleted,
  Problem,
  FieldError,
  ValidationProblem,
]

/** A reference to a named component, with the component's type. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>(Type.Ref(`${schema.$id}#`))
}
