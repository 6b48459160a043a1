import { readFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

interface Promised {
  headers?: Record<string, { required?: boolean }>
  content?: Record<string, { schema: object; example?: unknown }>
}
interface Operation {
  operationId: string
  requestBody?: { content: Record<string, { schema: { $ref: string } }> }
  responses: Record<string, Promised>
}

const contract: {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { examples: object[] }> }
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

/** Answered before there is an operation, so that the contract of none has them. */
const BEFORE_ANY = new Set([417, 421])

/** Whatever problem there is. */
const PROBLEM = '#/components/schemas/Problem'

/** Headers that mean something to a client of an operation; the others are of the service as a whole. */
const MEANT = /^(etag|location|link|cache-status|retry-after|www-authenticate)$/

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
  const operation = path && !BEFORE_ANY.has(status) && contract.paths[path]?.[name]
  if (!operation) {
    if (status < 400) return undefined
    if (type !== 'application/problem+json') return `an error of ${type}`
    const isKnown = method === 'HEAD' || isValid(PROBLEM, JSON.parse(body.toString()))
    return isKnown ? undefined : 'a problem of no kind that the contract has'
  }
  const response = operation.responses[status]
  if (!response) return 'a status that is not in the contract'

  const promised = new Map(
    Object.entries(response.headers ?? {}).map(([name, header]) => [name.toLowerCase(), header]),
  )
  for (const header of Object.keys(headers)) {
    if (MEANT.test(header) && !promised.has(header)) return `a header ${header}`
  }
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
