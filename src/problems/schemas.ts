import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { type FieldCode, fieldCodeNames, fieldCodes } from './field-codes.js'
import { type Kind, kinds, kindsOf, type ProblemType, statuses, typeOf } from './kinds.js'

/** A reference to a named component, with the component's type. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>(Type.Ref(`${schema.$id}#`))
}

/** The members of a problem that has a status, and so one of its kinds. */
const members = (status: number) => ({
  type: Type.Unsafe<ProblemType>({
    type: 'string',
    format: 'uri-reference',
    enum: kindsOf(status).map(typeOf),
    description: 'Kind of problem, and where it is explained',
  }),
  title: Type.String({ description: 'The kind in words, always the same' }),
  // The bounds say nothing more, but clients of before knew them.
  status: Type.Unsafe<number>({ type: 'integer', minimum: 400, maximum: 599, enum: [status] }),
  detail: Type.String({ description: 'What went wrong this time, and what to do' }),
  instance: Type.String({
    format: 'uri-reference',
    description: 'The path that was asked for',
  }),
})

export const FieldError = Type.Object(
  {
    path: Type.String({
      description: 'JSON Pointer to what is wrong, from the request: /body/salary, /query/limit',
    }),
    code: Type.Unsafe<FieldCode>({
      type: 'string',
      enum: fieldCodeNames,
      description: fieldCodeNames.map((code) => `${code}: ${fieldCodes[code].meaning}`).join(' '),
    }),
    message: Type.String({ description: 'The rule that it breaks, and the value' }),
    line: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Of a body of lines, the line that it is about; /body is what stands there',
      }),
    ),
  },
  {
    $id: 'FieldError',
    description: 'What is wrong with one field of the request',
    examples: [{ path: '/body/salary', code: 'too_small', message: 'must be >= 0, got -1' }],
  },
)
export type FieldError = Static<typeof FieldError>

export const ValidationProblem = Type.Object(
  { ...members(400), errors: Type.Array(ref(FieldError), { minItems: 1 }) },
  {
    $id: 'ValidationProblem',
    description: 'What is wrong with the request, field by field (RFC 9457)',
    examples: [{ ...exampleOf('validation'), errors: FieldError.examples }],
  },
)
export type ValidationProblem = Static<typeof ValidationProblem>

/** Problems by status, each with the kinds that it has: what a program finds out of one, it knows of the other. */
const byStatus = new Map<number, TSchema>([
  [400, ValidationProblem],
  ...statuses
    .filter((status) => status !== 400)
    .map((status) => {
      const options = {
        $id: `Problem${status}`,
        description: `What went wrong (RFC 9457), with status ${status}`,
        examples: kindsOf(status).map(exampleOf),
      }
      return [status, Type.Object(members(status), options)] as const
    }),
])

/** The component of problems that have a status. */
export const problemSchema = (status: number) => byStatus.get(status) as TSchema

/** Whatever went wrong, for programs that treat all of it in one place. */
export const Problem = Type.Unsafe<Static<TObject<ReturnType<typeof members>>>>({
  ...Type.Union([...byStatus.values()].map(ref)),
  $id: 'Problem',
  description: 'What went wrong (RFC 9457): `type` tells which of these it is',
  examples: [exampleOf('no-such-employee')],
})
export type Problem = Static<typeof Problem>

/** What the API names of problems: registered once, referenced everywhere. */
export const problemComponents = [FieldError, ...byStatus.values(), Problem]

function exampleOf(kind: Kind) {
  const { title, status, example: detail, instance = '/employees' } = kinds[kind]
  return { type: typeOf(kind), title, status, detail, instance }
}
