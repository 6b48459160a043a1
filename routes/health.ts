import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { failures } from '../src/http/responses.js'

const Closing = createError('CLOSING', 'The service is closing', 503)

const tags = ['service']

const livez = {
  operationId: 'getLiveness',
  summary: 'Is the process up?',
  tags,
  security: [],
  response: { 200: Type.Object({ status: Type.Literal('ok') }, { description: 'It is up' }) },
}

const readyz = {
  operationId: 'getReadiness',
  summary: 'Is the service able to serve?',
  description: 'The database decides. Without its Redis the service is degraded, and serves.',
  tags,
  security: [],
  response: {
    200: Type.Object(
      {
        status: Type.Union([Type.Literal('ok'), Type.Literal('degraded')]),
        database: Type.Literal('ok'),
        redis: Type.Union([Type.Literal('ok'), Type.Literal('away'), Type.Literal('off')]),
      },
      { description: 'It serves' },
    ),
    ...failures(),
  },
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
