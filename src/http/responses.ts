import type { Readable } from 'node:stream'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Problem, ref, ValidationProblem } from '../employees/schemas.js'

const headers = {
  'Cache-Status': Type.String({
    description: 'Where the answer comes from (RFC 9211)',
    examples: ['employees; hit; ttl=297; detail=near'],
  }),
  ETag: Type.String({ description: 'Identifies this representation (RFC 9110, section 8.8.3)' }),
  Link: Type.String({
    description: 'The next page, if there is one (RFC 8288)',
    examples: ['</employees?limit=100&after=YWZ0ZXI6MTAw>; rel="next"'],
  }),
  Location: Type.String({ description: 'The path of the new employee' }),
  'Retry-After': Type.Integer({ description: 'Seconds until it is worth trying again' }),
}

const pick = (names: (keyof typeof headers)[]) =>
  names.length > 0
    ? { headers: Object.fromEntries(names.map((name) => [name, headers[name]])) }
    : {}

/** A JSON answer, sent whole or as a stream of bytes. */
export function json<T extends TSchema>(
  schema: T,
  description: string,
  ...names: (keyof typeof headers)[]
) {
  return Type.Unsafe<Static<T> | Readable>({
    description,
    ...pick(names),
    content: { 'application/json': { schema: ref(schema) } },
  })
}

/** The answer to a conditional request whose client has the representation already. */
export const notModified = (...names: (keyof typeof headers)[]) =>
  Type.Unsafe<void>({ type: 'null', description: 'The client has it already', ...pick(names) })

const problems = {
  400: ['The request is wrong; `errors` says where', ValidationProblem],
  404: ['There is no such employee', Problem],
  412: ['The employee is not as If-Match or If-None-Match expects', Problem],
  413: ['The body is larger than 64 KiB', Problem],
  415: ['The body is not JSON', Problem],
  500: ['The service failed', Problem],
  503: ['Not now; Retry-After says when to try again', Problem],
} as const

/** The problems that an operation can answer: those given, and the ones that any can. */
export function errors(...statuses: (keyof typeof problems)[]) {
  const responses: Record<number, TSchema> = {}
  for (const status of [...statuses, 500, 503] as const) {
    const [description, schema] = problems[status]
    responses[status] = Type.Unsafe<unknown>({
      description,
      ...pick(status === 503 ? ['Retry-After'] : []),
      content: { 'application/problem+json': { schema: ref(schema) } },
    })
  }
  return responses
}
