import { readFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { SECURITY_HEADERS } from '../../src/http/security-headers.js'

interface Promised {
  headers?: Record<string, { $ref: string } | { required: boolean }>
  content?: Record<string, { schema: object; example?: unknown }>
}
interface Operation {
  operationId: string
  requestBody?: { content: Record<string, { schema: { $ref: string } }> }
  responses: Record<string, Promised>
}

const contract: {
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, { examples: object[] }>
    headers: Record<string, { required: boolean }>
  }
} = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'))
const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)
ajv.addSchema(contract, 'openapi.json')

/** Each path with its expression; those without a parameter first, which OpenAPI puts first too. */
const paths = Object.keys(contract.paths)
  .sort((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
  .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`) }))

/** The operations of the contract, with the examples of their bodies, and of their answers by status. */
export const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId, requestBody, responses }]) => ({
    name: operationId,
    method: method.toUpperCase(),
    path,
    body: Object.values(requestBody?.content ?? {}).map(({ schema }) => exampleOf(schema.$ref))[0],
    examples: Object.entries(responses).map(
      ([status, { content }]) =>
        [Number(status), Object.values(content ?? {})[0]?.example] as const,
    ),
  })),
)

function exampleOf(reference: string): object | undefined {
  return contract.components.schemas[reference.split('/').at(-1) as string]?.examples[0]
}

/** Whatever problem there is. */
const PROBLEM = '#/components/schemas/Problem'

/** What a header of an error may be of which there is no operation. */
const KNOWN = new Set(Object.keys(contract.components.headers).map((name) => name.toLowerCase()))

/** Headers of which the contract says nothing, each with why. */
const NOT_TOLD = new Set([
  // Of a message or its representation, whatever it means: HTTP itself says what they are (RFC 9110 to 9112).
  ...['content-type', 'content-length', 'content-encoding', 'vary', 'cache-control', 'date'],
  ...['connection', 'keep-alive', 'transfer-encoding'],
  // Of a path and not of an operation: which ones it has.
  'allow',
  // For browsers alone, the same on every answer: docs/operations.md has them.
  ...Object.keys(SECURITY_HEADERS),
])
/** For browsers alone, where CORS_ORIGINS names some. */
const CORS = /^access-control-/

export interface Exchange {
  method: string
  url: string
  status: number
  headers: OutgoingHttpHeaders
  body: Buffer
}

/** What an answer has that the contract does not; undefined: it is as promised. */
export function faultOf({ method, url, status, headers, body }: Exchange): string | undefined {
  const type = String(headers['content-type'] ?? '').split(';', 1)[0] as string
  const pathname = url.split('?', 1)[0] as string
  const path = paths.find(({ pattern }) => pattern.test(pathname))?.path
  const name = method === 'HEAD' ? 'get' : method.toLowerCase()
  const operation = path && contract.paths[path]?.[name]
  if (!operation) {
    if (status < 400) return undefined
    const untold = untoldOf(headers, KNOWN)
    if (untold) return untold
    if (type !== 'application/problem+json') return `an error of ${type}`
    const isKnown = method === 'HEAD' || isValid(PROBLEM, JSON.parse(body.toString()))
    return isKnown ? undefined : 'a problem of no kind that the contract has'
  }
  const response = operation.responses[status]
  if (!response) return 'a status that is not in the contract'

  const promised = new Map(
    Object.entries(response.headers ?? {}).map(([name, header]) => [
      name.toLowerCase(),
      'required' in header ? header : (contract.components.headers[name] as { required: boolean }),
    ]),
  )
  const untold = untoldOf(headers, promised)
  if (untold) return untold
  for (const [header, { required }] of promised) {
    if (required && headers[header] === undefined) return `no header ${header}`
  }
  if (!response.content) return body.length > 0 ? 'a body' : undefined
  if (!response.content[type]) return `a body of ${type}`
  if (method === 'HEAD') return undefined
  const place = ['paths', path, name, 'responses', `${status}`, 'content', type, 'schema']
  const validate = validator(referenceTo(...place))
  return validate(JSON.parse(body.toString())) ? undefined : ajv.errorsText(validate.errors)
}

/** A header that is none of those, and needs to be told of. */
function untoldOf(headers: OutgoingHttpHeaders, told: { has(name: string): boolean }) {
  const untold = Object.keys(headers).find(
    (name) => !told.has(name) && !NOT_TOLD.has(name) && !CORS.test(name),
  )
  return untold && `a header ${untold}`
}

/** Whether a value is as a schema of the contract says; `reference` leads to it. */
export function isValid(reference: string, value: unknown): boolean {
  return validator(reference)(value) as boolean
}

/** By a reference into the contract, so that its own references lead where they lead there. */
function validator(reference: string): ValidateFunction {
  return ajv.getSchema(`openapi.json${reference}`) as ValidateFunction
}

function referenceTo(...path: string[]): string {
  const parts = path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
  return `#/${parts.map(encodeURIComponent).join('/')}`
}
