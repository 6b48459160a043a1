import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Liveness, Readiness } from '../src/http/health.js'
import { failures, json, mistakes } from '../src/http/responses.js'

const Closing = createError('CLOSING', 'The service is closing', 503)

const tags = ['service']

const livez = {
  operationId: 'getLiveness',
  summary: 'Is the process up?',
  tags,
  security: [],
  response: { 200: json(Liveness, 'It is up'), ...mistakes() },
}

const readyz = {
  operationId: 'getReadiness',
  summary: 'Is the service able to serve?',
  description: 'The database decides. Without its Redis the service is degraded, and serves.',
  tags,
  security: [],
  response: { 200: json(Readiness, 'It serves'), ...failures('closing') },
}

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.get('/livez', { schema: livez }, async () => ({ status: 'ok' as const }))

  fastify.get('/readyz', { schema: readyz }, async () => {
    if (fastify.isClosing()) throw new Closing()
    await fastify.employees.ping()
    const redis = fastify.redisState()
    return { status: redis === 'away' ? 'degraded' : 'ok', database: 'ok', redis } as const
  })
}

export default routes
