import type { Readable } from 'node:stream'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { problem } from '../problems/problem.js'
import { Problem, ref, ValidationProblem } from '../problems/schemas.js'

const headers = {
  'Cache-Status': Type.String({
    description: 'Where the answer comes from (RFC 9211)',
    examples: ['employees; hit; ttl=297; detail=near', 'employees; fwd=miss; detail=parts'],
  }),
  ETag: Type.String({ description: 'Identifies this representation (RFC 9110, section 8.8.3)' }),
  Link: Type.String({
    description: 'The next page, if there is one (RFC 8288)',
    examples: ['</employees?limit=100&after=YWZ0ZXI6MTAw>; rel="next"'],
  }),
  Location: Type.String({ description: 'The path of the new employee' }),
  'RateLimit-Limit': Type.Integer({ description: 'Requests that a client has in a minute' }),
  'RateLimit-Remaining': Type.Integer({ description: 'Requests left in this minute' }),
  'RateLimit-Reset': Type.Integer({ description: 'Seconds until the next minute begins' }),
  'Retry-After': Type.Integer({ description: 'Seconds until it is worth trying again' }),
  'WWW-Authenticate': Type.String({
    description: 'What kind of key is needed (RFC 6750, section 3)',
    examples: ['Bearer realm="employees"'],
  }),
}

const pick = (names: (keyof typeof headers)[]) =>
  names.length > 0
    ? { headers: Object.fromEntries(names.map((name) => [name, headers[name]])) }
    : {}

/** A JSON answer, sent as a value, as its text or as a stream of bytes. */
export function json<T extends TSchema>(
  schema: T,
  description: string,
  ...names: (keyof typeof headers)[]
) {
  return Type.Unsafe<Static<T> | Readable | string>({
    description,
    ...pick(names),
    content: { 'application/json': { schema: ref(schema), example: schema.examples?.[0] } },
  })
}

/** The answer to a conditional request whose client has the representation already. */
export const notModified = (...names: (keyof typeof headers)[]) =>
  Type.Unsafe<void>({ type: 'null', description: 'The client has it already', ...pick(names) })

/** What each status means, and the detail of an example, unless an operation has one of its own. */
const problems = {
  400: [
    'The request is wrong; `errors` says where',
    ValidationProblem,
    '/params/id must be >= 1, got 0',
  ],
  401: [
    'A key is needed, and the one sent, if any, is not known here',
    Problem,
    'Send a key: "Authorization: Bearer KEY"',
  ],
  403: ['The key may only read', Problem, 'This key may read, and not write'],
  404: ['There is no such employee', Problem, 'There is no employee 7'],
  412: [
    'The employee is not as If-Match or If-None-Match expects',
    Problem,
    'The employee is not as If-Match expects: its entity tag is "jQHVY-QvCpFNTlNngskv6a". Read it again, then decide',
  ],
  413: ['The body is larger than 64 KiB', Problem, 'Request body is too large'],
  414: [
    'The id is far too long',
    Problem,
    "'/employees/11111111111111111111' is exceeding the max param length",
  ],
  415: ['The body is not JSON', Problem, 'Unsupported Media Type'],
  422: [
    'The Idempotency-Key was sent with another body before',
    Problem,
    'Idempotency-Key: a key stands for one request, and this one was sent with another body less than 24 hours ago; send a new key. Nothing was changed',
  ],
  429: [
    'Too many requests; Retry-After says when to try again',
    Problem,
    'More than 600 requests in a minute; try again in 7 seconds',
  ],
  500: [
    'The service failed',
    Problem,
    'Something went wrong here; the request id finds it in the log',
  ],
  503: [
    'Not now; Retry-After says when to try again',
    Problem,
    'The service is overloaded; try again later',
  ],
} as const

const problemHeaders: { [status in Status]?: (keyof typeof headers)[] } = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  503: ['Retry-After'],
}

type Status = keyof typeof problems

/** A status, or some with the details of examples that this operation alone gives. */
type Given = Status | { readonly [status in Status]?: string }

/** The problems that an operation can answer: those given, and the ones that any can. */
export function errors(...given: Given[]) {
  return failures(401, 429, ...given)
}

/** As `errors`, for an operation that needs no key and has no limit. */
export function failures(...given: Given[]) {
  const details = [500 as const, 503 as const, ...given].map((each) =>
    typeof each === 'number' ? { [each]: problems[each][2] } : each,
  )
  const responses: Record<number, TSchema> = {}
  for (const [name, detail] of Object.entries<string>(Object.assign({}, ...details))) {
    const status = Number(name) as Status
    const [description, schema] = problems[status]
    // "/body/salary must be …": where the fault is, and what it is.
    const [, path = '', message = ''] = /^(\S+) (.*)$/.exec(detail) ?? []
    const example = problem(status, detail, '', [{ path, message }])
    responses[status] = Type.Unsafe<unknown>({
      description,
      ...pick(problemHeaders[status] ?? []),
      content: { 'application/problem+json': { schema: ref(schema), example } },
    })
  }
  return responses
}
