import cluster from 'node:cluster'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { addFirst } from '../src/http/route-hooks.js'
import { showBuild } from '../src/metrics/build-info.js'
import { MISLEADING, watchEventLoop } from '../src/metrics/event-loop.js'
import { histogram } from '../src/metrics/families.js'
import { watchRedis } from '../src/metrics/redis.js'
import { DURATIONS, type ServiceMetrics, serviceMetrics } from '../src/metrics/service-metrics.js'
import { metricsOfAll } from '../src/workers/metrics.js'

declare module 'fastify' {
  interface FastifyInstance {
    metrics: ServiceMetrics
  }
}

/** Of the others there would be as many series as clients can think of. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * Measures requests, the process, and what other parts tell to `fastify.metrics`, which it decorates;
 * serves the metrics, of all workers together, to Prometheus at /metrics. Names follow
 * https://prometheus.io/docs/practices/naming/.
 */
export default fp(
  async function metricsPlugin(fastify) {
    const register = new Registry()
    // Once a second: what its timer measures is not shown.
    collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 1000 })
    for (const { name } of register.getMetricsAsArray()) {
      if (MISLEADING.test(name)) register.removeSingleMetric(name)
    }
    showBuild(register, fastify.db.dialect)
    const endWatch = watchEventLoop(register)
    fastify.addHook('onClose', async () => endWatch())
    const { redisStats } = fastify
    if (redisStats) watchRedis(register, () => fastify.redisState() === 'ok', redisStats)
    fastify.decorate('metrics', serviceMetrics(register))

    const duration = histogram(register, {
      name: 'http_request_duration_seconds',
      help: 'Time from the request to the end of its answer, in seconds, by route',
      labels: ['method', 'route', 'status'],
      buckets: DURATIONS,
    })
    const measure = (route: string) =>
      function measureRequest(request: FastifyRequest, reply: FastifyReply, done: () => void) {
        const method = METHODS.has(request.method) ? request.method : 'other'
        duration(method, route, reply.statusCode).observe(reply.elapsedTime / 1000)
        done()
      }
    // To ask each request for its route costs more than to measure it.
    fastify.addHook('onRoute', (route) => addFirst(route, 'onResponse', measure(route.url)))
    const measureUnknown = measure('unknown')
    fastify.addHook('onResponse', (request, reply, done) => {
      if (request.is404) measureUnknown(request, reply, done)
      else done()
    })

    const metrics = cluster.isWorker ? metricsOfAll(register) : () => register.metrics()
    fastify.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      reply.type(register.contentType)
      return metrics()
    })
  },
  { name: 'metrics', dependencies: ['database', 'redis'] },
)
