import createError from '@fastify/error'
import fastifyRateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { isMonitoring } from '../src/auth/public-routes.js'
import type { ByteStore } from '../src/cache/byte-store.js'
import { MemoryStore } from '../src/cache/memory-store.js'
import { clientOf } from '../src/http/client-address.js'
import { rateLimitHeaders } from '../src/http/rate-limit-headers.js'

const TooManyRequests = createError(
  'TOO_MANY_REQUESTS',
  'More than %d requests in a minute; try again in %d seconds',
  429,
)

const WINDOW_SECONDS = 60

/**
 * Limits how often a client may ask in a minute, if that is configured: by its key, or else by its
 * address. Processes that share a Redis share the count.
 */
export default fp(
  async function rateLimitPlugin(fastify) {
    const max = fastify.config.rateLimitPerMinute
    if (max === undefined) return

    await fastify.register(fastifyRateLimit, {
      global: false,
      max,
      timeWindow: WINDOW_SECONDS * 1000,
      keyGenerator: clientOf,
      allowList: isMonitoring,
      store: counterIn(fastify.redis as unknown as ByteStore),
    })
    const count = fastify.createRateLimit()
    // For the whole service: as the hook of a route it would run behind the one that answers from
    // cache, and not at all where there is no route.
    fastify.addHook('onRequest', async function limitRate(request, reply) {
      const counted = await count(request)
      if (counted.isAllowed) return
      const { remaining, ttlInSeconds: reset, isExceeded } = counted
      const quota = { policy: 'requests', quota: max, window: WINDOW_SECONDS }
      reply.headers(rateLimitHeaders({ ...quota, remaining, reset }))
      if (!isExceeded) return
      reply.header('retry-after', reset)
      throw new TooManyRequests(max, reset)
    })
  },
  { name: 'rate-limit', dependencies: ['authentication', 'redis'] },
)

/** The store of @fastify/rate-limit: counts in Redis and, while that is away, in this process. */
function counterIn(redis: Pick<ByteStore, 'increment'>) {
  const memory = new MemoryStore()
  return class Counter implements fastifyRateLimit.FastifyRateLimitStore {
    incr(client: string, done: Done, window: number): void {
      const key = `rate_limit:${client}`
      redis
        .increment(key, window)
        .catch(() => memory.increment(key, window))
        .then(([current, ttl]) => done(null, { current, ttl }), done)
    }

    child(): this {
      return this
    }
  }
}

type Done = Parameters<fastifyRateLimit.FastifyRateLimitStore['incr']>[1]
