import { readFileSync } from 'node:fs'
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { employeeComponents } from '../src/employees/schemas.js'
import { Liveness, Readiness } from '../src/http/health.js'
import { PAGE_POLICY } from '../src/http/page-policy.js'
import { problemComponents } from '../src/problems/schemas.js'

const { version, description } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

/** Collects the contract from the routes' schemas, and serves it at /openapi.json and /docs. */
export default fp(
  async function openapiPlugin(fastify) {
    const components = [...employeeComponents, ...problemComponents, Liveness, Readiness]
    for (const schema of components) fastify.addSchema(schema)

    await fastify.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Employees',
          version,
          description,
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
        return withSureHeaders(document.openapiObject)
      },
      refResolver: {
        buildLocalReference: (schema, _base, _fragment, index) =>
          String(schema.$id ?? `def-${index}`),
      },
    })
    await fastify.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      staticCSP: PAGE_POLICY,
      // Without the bar on top, whose logo has a style of its own, against the policy.
      uiConfig: { layout: 'BaseLayout' },
    })

    fastify.get('/openapi.json', { schema: { hide: true } }, async () => fastify.swagger())
  },
  { name: 'openapi' },
)

/** The link to a next page, and what only the limit of requests in a minute tells. */
const SOMETIMES = /^(?:Link|RateLimit-.*)$/

/** The headers of an answer are always there, but for those. */
function withSureHeaders<T extends { paths?: object | undefined }>(document: T): T {
  for (const operations of Object.values(document.paths ?? {})) {
    for (const { responses } of Object.values(operations as Record<string, Operation>)) {
      for (const { headers } of Object.values(responses)) {
        for (const [name, header] of Object.entries(headers ?? {}))
          header.required = !SOMETIMES.test(name)
      }
    }
  }
  return document
}

interface Operation {
  responses: Record<string, { headers?: Record<string, { required?: boolean }> }>
}

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description: 'An API key, where keys are configured: one that may read, or read and write',
} as const
