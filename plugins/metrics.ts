import fp from 'fastify-plugin'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

/** Measures requests and the process, and serves the figures to Prometheus at /metrics. */
export default fp(
  async function metricsPlugin(fastify) {
    const register = new Registry()
    collectDefaultMetrics({ register })
    const duration = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to the end of its answer, by route',
      labelNames: ['method', 'route', 'status'],
      registers: [register],
    })

    fastify.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'unknown'
      duration.observe(
        { method: request.method, route, status: reply.statusCode },
        reply.elapsedTime / 1000,
      )
      done()
    })

    fastify.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      reply.type(register.contentType)
      return register.metrics()
    })
  },
  { name: 'metrics' },
)
