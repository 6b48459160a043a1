import fastifySwagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { employeeComponents } from '../src/employees/schemas.js'
import { GUIDE } from '../src/http/guide.js'
import { Liveness, Readiness } from '../src/http/health.js'
import { COMMON_HEADERS, headers, LIMIT_HEADERS } from '../src/http/responses.js'
import { problemComponents } from '../src/problems/schemas.js'
import { RELEASE } from '../src/release.js'

/** Collects the contract from the routes' schemas, and serves it at /openapi.json. */
export default fp(
  async function openapiPlugin(fastify) {
    const components = [...employeeComponents, ...problemComponents, Liveness, Readiness]
    for (const schema of components) fastify.addSchema(schema)

    await fastify.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Employees',
          version: RELEASE,
          description: GUIDE,
          contact: { name: 'The maintainers of this service' },
          license: { name: 'MIT', identifier: 'MIT' },
        },
        tags: [
          { name: 'employees', description: 'Employees and their salaries' },
          { name: 'views', description: 'Cached views, never stale' },
          { name: 'service', description: 'The state of the service' },
        ],
        components: { securitySchemes: { bearer: BEARER } },
        security: fastify.config.apiKeys.length > 0 ? [{ bearer: [] }] : [{ bearer: [] }, {}],
        servers: [{ url: '/', description: 'Where this document comes from' }],
      },
      transformObject: (document) => {
        if (!('openapiObject' in document)) return document.swaggerObject
        return completed(document.openapiObject)
      },
      refResolver: {
        buildLocalReference: (schema, _base, _fragment, index) =>
          String(schema.$id ?? `def-${index}`),
      },
    })
    // Everybody may ask for it, so it is written once, and all answers that wait share its bytes.
    let contract: Buffer | undefined
    fastify.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
      contract ??= Buffer.from(JSON.stringify(fastify.swagger()))
      return reply.type('application/json; charset=utf-8').send(contract)
    })
  },
  { name: 'openapi' },
)

/** For which that is right: a list of everybody is more than a browser can show. */
const FILLED_IN = 'limit'

/** The link to a next page, a count that was asked for, and what only a configuration tells of. */
const SOMETIMES = /^(?:Link|X-Total-Count|Preference-Applied|Server-Timing|RateLimit.*)$/

/** Each header as the contract has it: always there, but for those. */
const HEADERS = Object.fromEntries(
  Object.entries(headers).map(([name, { description = '', ...schema }]) => [
    name,
    { description, required: !SOMETIMES.test(name), schema },
  ]),
)

/** The header of an answer; several that were created have no entity tag, as one has. */
function headerOf(status: string, name: string) {
  if (status === '201' && name === 'ETag') return { ...HEADERS[name], required: false }
  return { $ref: `#/components/headers/${name}` }
}

/**
 * Says of each operation what its schemas do not: the headers that any answer has, and of which path the
 * example of a problem tells. The example of a parameter that may be
 * left out moves into its schema: from beside it Swagger UI fills it in, and so asks for a page behind
 * the last one, or for a change of what is not there.
 */
function completed<T extends { paths?: object | undefined; components?: object | undefined }>(
  document: T,
): T {
  Object.assign(document.components ?? {}, { headers: HEADERS })
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const operation of Object.values(operations as Record<string, Operation>)) {
      for (const parameter of operation.parameters ?? []) {
        const { name, example, required, schema } = parameter
        if (required || example === undefined || name === FILLED_IN) continue
        parameter.schema = { ...schema, examples: [example] }
        delete parameter.example
      }
      const isLimited = operation.responses['429'] !== undefined
      const common = isLimited ? [...COMMON_HEADERS, ...LIMIT_HEADERS] : COMMON_HEADERS
      for (const [status, response] of Object.entries(operation.responses)) {
        const { headers = {}, content } = response
        const names = [...Object.keys(headers), ...common]
        response.headers = Object.fromEntries(names.map((name) => [name, headerOf(status, name)]))
        const problem = content?.['application/problem+json']
        if (problem)
          problem.example = { ...problem.example, instance: instanceOf(path, problem.example) }
      }
    }
  }
  return document
}

/** The id that the detail of a problem tells of. */
const ID = /(?<=^\/params\/id .* got |no employee |\/employees\/)\d+/

/** The path that was asked for, where a problem has this detail; of the first employee, if it names none. */
function instanceOf(path: string, { detail }: { detail: string }): string {
  return path.replace('{id}', ID.exec(detail)?.[0] ?? '1')
}

interface Operation {
  parameters?: { name: string; example?: unknown; required?: boolean; schema?: object }[]
  responses: Record<
    string,
    {
      headers?: Record<string, object>
      content?: Record<string, { example: { detail: string; instance: string } }>
    }
  >
}

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description: 'An API key, where keys are configured: one that may read, or read and write',
} as const
