import fastifyCors from '@fastify/cors'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** Lets pages of the configured origins call the service from a browser (CORS); without any, none. */
export default fp(
  async function corsPlugin(fastify) {
    const { corsOrigins } = fastify.config
    if (corsOrigins.length === 0) return

    await fastify.register(fastifyCors, {
      delegator: (request: FastifyRequest, done: Done) => {
        const { origin, 'access-control-request-method': method } = request.headers
        done(null, {
          ...OPTIONS,
          origin: origin !== undefined && corsOrigins.includes(origin) && origin,
          // Any other OPTIONS is a question about methods, answered as without CORS.
          preflight: method !== undefined,
        })
      },
    })
  },
  { name: 'cors' },
)

type Done = (error: null, options: fastifyCors.FastifyCorsOptions) => void

const OPTIONS = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'Prefer',
    'Traceparent',
    'X-Request-Id',
  ],
  exposedHeaders: [
    'Cache-Status',
    'ETag',
    'Link',
    'Location',
    'Preference-Applied',
    'RateLimit',
    'RateLimit-Policy',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'Retry-After',
    'X-Request-Id',
    'X-Total-Count',
  ],
  maxAge: 600,
}
