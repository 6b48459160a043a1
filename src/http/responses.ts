import type { Readable } from 'node:stream'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type Kind, kinds } from '../problems/kinds.js'
import { problem } from '../problems/problem.js'
import { type FieldError, type Problem, problemSchema, ref } from '../problems/schemas.js'

/** Every header that the contract tells of. */
export const headers = {
  'Cache-Status': Type.String({
    description: 'Where the answer comes from (RFC 9211)',
    examples: ['employees; hit; ttl=297; detail=near', 'employees; fwd=miss; detail=parts'],
  }),
  ETag: Type.String({ description: 'Identifies this representation (RFC 9110, section 8.8.3)' }),
  Link: Type.String({
    description: 'The next page, if there is one (RFC 8288)',
    examples: ['</employees?limit=100&after=100>; rel="next"'],
  }),
  Location: Type.String({
    description: 'The path of the new employee, or of the page of several',
  }),
  'Preference-Applied': Type.String({
    description: 'What of Prefer was done (RFC 7240, section 3)',
    examples: ['count=exact'],
  }),
  RateLimit: Type.String({
    description:
      'Where requests are limited: how many are left (`r`), and in how many seconds there are as many again as RateLimit-Policy says (`t`; draft-ietf-httpapi-ratelimit-headers-11)',
    examples: ['"requests";r=599;t=60'],
  }),
  'RateLimit-Policy': Type.String({
    description: 'Where requests are limited: how many (`q`) in so many seconds (`w`)',
    examples: ['"requests";q=600;w=60'],
  }),
  'RateLimit-Limit': Type.Integer({ description: 'Requests that a client has in a minute' }),
  'RateLimit-Remaining': Type.Integer({ description: 'Requests left in this minute' }),
  'RateLimit-Reset': Type.Integer({ description: 'Seconds until the next minute begins' }),
  'Retry-After': Type.Integer({ description: 'Seconds until it is worth trying again' }),
  'Server-Timing': Type.String({
    description:
      'Where that is configured: what the answer waited for, in milliseconds (https://www.w3.org/TR/server-timing/)',
    examples: ['probe;dur=0.210, l1;dur=0.004, redis;dur=0.650, fill;dur=3.200, db;dur=2.900'],
  }),
  'X-Request-Id': Type.String({
    description: 'The id of the request in the log: the one that it was sent with, or a random one',
  }),
  'X-Total-Count': Type.Integer({
    description: 'How many there are on all pages, if `Prefer: count=exact` asked for it',
  }),
  'WWW-Authenticate': Type.String({
    description: 'What kind of key is needed (RFC 6750, section 3)',
    examples: ['Bearer realm="employees"'],
  }),
}

type HeaderName = keyof typeof headers

/** What any answer has, ... */
export const COMMON_HEADERS: HeaderName[] = ['X-Request-Id', 'Server-Timing']
/** ... and what those of an operation have whose requests are counted. */
export const LIMIT_HEADERS: HeaderName[] = [
  'RateLimit',
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
]

const pick = (names: HeaderName[]) =>
  names.length > 0
    ? { headers: Object.fromEntries(names.map((name) => [name, headers[name]])) }
    : {}

/** A JSON answer, sent as a value, as its text or as a stream of bytes. */
export function json<T extends TSchema>(schema: T, description: string, ...names: HeaderName[]) {
  return Type.Unsafe<Static<T> | Readable | string>({
    description,
    ...pick(names),
    content: { 'application/json': { schema: ref(schema), example: schema.examples?.[0] } },
  })
}

/** The answer to a conditional request whose client has the representation already. */
export const notModified = (...names: HeaderName[]) =>
  Type.Unsafe<void>({ type: 'null', description: 'The client has it already', ...pick(names) })

/** Of an operation that has nothing but an id. */
const NO_ID = { path: '/params/id', code: 'too_small', message: 'must be >= 1, got 0' } as const

/** What each status means, and its example, unless an operation has one of its own. */
const problems = {
  400: ['The request is wrong; `errors` says where', NO_ID],
  401: ['A key is needed, and the one sent, if any, is not known here', 'key-needed'],
  403: ['The key may only read', 'key-may-only-read'],
  404: ['There is no such employee', 'no-such-employee'],
  412: ['The employee is not as If-Match or If-None-Match expects', 'precondition-failed'],
  413: ['The body is too large', 'body-too-large'],
  414: ['The id is far too long', 'uri-too-long'],
  415: ['The body is not JSON', 'unsupported-media-type'],
  417: ['Expect asks for something else than 100-continue', 'expectation-failed'],
  421: ['The Host of the request is not served here', 'misdirected-request'],
  422: ['The Idempotency-Key was sent with another body before', 'idempotency-key-reused'],
  429: ['Too many requests; Retry-After says when to try again', 'too-many-requests'],
  500: ['The service failed', 'internal'],
  503: ['Not now; Retry-After says when to try again', 'overloaded'],
} as const satisfies Record<number, readonly [description: string, example: Kind | FieldError]>

const problemHeaders: { [status in Status]?: HeaderName[] } = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

type Status = keyof typeof problems

/** What an operation gives an example of: a status, a kind of it, or a fault of a field of its own. */
type Given = Status | Kind | FieldError

/** The problems that an operation can answer: those given, and the ones that any can. */
export function errors(...given: Given[]) {
  return failures(401, 429, ...given)
}

/** As `errors`, for an operation that needs no key and has no limit. */
export function failures(...given: Given[]) {
  return mistakes(500, 503, ...given)
}

/** As `failures`, for an operation that never fails itself. */
export function mistakes(...given: Given[]) {
  const responses: Record<number, TSchema> = {}
  for (const each of [417 as const, 421 as const, ...given]) {
    const example = exampleOf(each)
    const status = example.status as Status
    responses[status] = Type.Unsafe<unknown>({
      description: problems[status][0],
      ...pick(problemHeaders[status] ?? []),
      content: { 'application/problem+json': { schema: ref(problemSchema(status)), example } },
    })
  }
  return responses
}

function exampleOf(given: Given): Problem {
  if (typeof given === 'number') return exampleOf(problems[given][1])
  if (typeof given === 'string') return problem(given, kinds[given].example, '')
  return problem('validation', `${given.path} ${given.message}`, '', [given])
}
