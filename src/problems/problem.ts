import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import { fieldCodeOf } from './field-codes.js'
import { type Kind, kindOf, kinds, typeOf } from './kinds.js'
import { isTooDeep } from './nesting.js'
import type { FieldError, Problem, ValidationProblem } from './schemas.js'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** What a person reads of a bad value, and no more of it. */
const MAX_VALUE_LENGTH = 60
const MAX_ERRORS = 20

/**
 * The body of an error answer (RFC 9457).
 *
 * @param url of the request; its query is left out
 * @param errors what is wrong with the request, for a 400
 * @param status if it is another than that of the kind
 */
export function problem(
  kind: Kind,
  detail: string,
  url: string,
  errors?: FieldError[],
  status = kinds[kind].status,
): Problem | ValidationProblem {
  const body = {
    type: typeOf(kind),
    title: kinds[kind].title,
    status,
    detail,
    instance: uriReference(url.split('?', 1)[0] as string),
  }
  // Every 400 says where the fault is, if only "somewhere in the request".
  if (status === 400) {
    return { ...body, errors: errors ?? [{ path: '', code: 'malformed', message: detail }] }
  }
  return body
}

/** The path as RFC 3986 has it: a client may have sent characters, or a bare %, that it does not have. */
function uriReference(path: string): string {
  return encodeURI(path).replaceAll(/%25([0-9a-f]{2})/gi, '%$1')
}

/** The problem that an error is, by the `fieldErrors` that it has, if any; what the client has no part in is not told in detail. */
export function problemOf(
  error: FastifyError & { fieldErrors?: FieldError[] },
  url: string,
): Problem | ValidationProblem {
  if (error.validation) {
    const errors = fieldErrors(error.validation, error.validationContext)
    const detail = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
    return problem('validation', detail, url, errors)
  }
  if (error.fieldErrors) return problem('validation', error.message, url, error.fieldErrors)
  const status = error.statusCode ?? 500
  if (status >= 500 && status !== 503) {
    return problem('internal', 'Something went wrong here; the request id finds it in the log', url)
  }
  const { code, message } = error
  const isOfBody = code?.startsWith('FST_ERR_CTP') || error instanceof SyntaxError
  const kind = status === 400 && isOfBody ? 'malformed-body' : kindOf(status, code)
  // Fastify says what is wrong, and not what would be right.
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return problem(kind, kinds[kind].example, url)
  }
  const path = isOfBody ? '/body' : ''
  const fault = { path, code: MISSING.has(code) ? 'required' : 'malformed', message } as const
  return problem(kind, message, url, [fault], status)
}

/** What is wrong with fields, the first of it, as a problem tells of it. */
export function fieldErrors(
  failures: readonly FastifySchemaValidationError[],
  context = 'body',
): FieldError[] {
  return failures
    .slice(0, MAX_ERRORS)
    .map((failure) => describe(failure as VerboseFailure, context))
}

/** Errors about something that is not there. */
const MISSING = new Set(['FST_ERR_CTP_EMPTY_BODY', 'FST_ERR_CTP_EMPTY_JSON_BODY', 'NO_HOST'])

/** Ajv with `verbose` adds the value and the schema that it breaks. */
type VerboseFailure = FastifySchemaValidationError & {
  data?: unknown
  parentSchema?: { description?: string }
}

function describe(failure: VerboseFailure, context: string): FieldError {
  const base = `/${context === 'querystring' ? 'query' : context}${failure.instancePath}`
  const { keyword, params, data } = failure
  const code = fieldCodeOf(keyword, data)
  switch (keyword) {
    case 'required':
      return { path: `${base}/${pointer(params.missingProperty)}`, code, message: 'is required' }
    case 'additionalProperties':
      return {
        path: `${base}/${pointer(params.additionalProperty)}`,
        code,
        message: 'is unknown here',
      }
    case 'pattern':
      return {
        path: base,
        code,
        message: `must be as described (${failure.parentSchema?.description}), got ${shown(data)}`,
      }
    case 'enum':
      return {
        path: base,
        code,
        message: `must be one of ${(params.allowedValues as unknown[]).join(', ')}, got ${shown(data)}`,
      }
    default:
      return { path: base, code, message: `${failure.message}, got ${gotten(keyword, data)}` }
  }
}

/** Escapes a JSON Pointer's reference token (RFC 6901, section 3). */
function pointer(token: unknown): string {
  return shortened(String(token).replaceAll('~', '~0').replaceAll('/', '~1'))
}

/** Of what is too long or too short, its length is the matter. */
function gotten(keyword: string, value: unknown): string {
  return /Items$/.test(keyword) && Array.isArray(value) ? String(value.length) : shown(value)
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (isTooDeep(value)) return 'something that is nested too deeply'
  // JSON has no word for Infinity, which is what 1e400 is.
  return shortened(typeof value === 'number' ? String(value) : JSON.stringify(value))
}

function shortened(text: string): string {
  return text.length > MAX_VALUE_LENGTH
    ? `${text.slice(0, MAX_VALUE_LENGTH).toWellFormed()}…`
    : text
}
