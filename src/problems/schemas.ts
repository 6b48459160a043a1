import { type Static, type TSchema, Type } from '@sinclair/typebox'

/** A reference to a named component, with the component's type. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>(Type.Ref(`${schema.$id}#`))
}

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

/** What the API names of problems: registered once, referenced everywhere. */
export const problemComponents = [Problem, FieldError, ValidationProblem]
