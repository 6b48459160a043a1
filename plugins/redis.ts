import fastifyRedis, { type FastifyRedis } from '@fastify/redis'
import fp from 'fastify-plugin'
import type { CacheRedis } from '../src/cache/cache-redis.js'
import { GuestRedis } from '../src/cache/guest-redis.js'
import { MemoryRedis } from '../src/cache/memory-redis.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** `off`: no Redis is configured, an in-process store serves; `away`: it cannot be used now. */
    redisState: () => 'ok' | 'away' | 'off'
    /** Undefined: no Redis is configured. */
    redisFigures: GuestRedis['figures'] | undefined
  }
}

/**
 * Decorates `fastify.redis`: the configured Redis, or else an in-process store. Both know the commands
 * of {@link CacheRedis}, whatever else @fastify/redis's type says.
 */
export default fp(
  async function redisPlugin(fastify) {
    const { redisUrl } = fastify.config
    if (redisUrl === undefined) {
      fastify.decorate('redisState', () => 'off' as const)
      fastify.decorate('redisFigures', undefined)
      return register(new MemoryRedis())
    }

    const redis = new GuestRedis(redisUrl, (reason) => {
      if (reason === undefined) fastify.log.info('Redis is here: cached answers are shared')
      else fastify.log.warn({ reason }, 'Redis is away: answers are cached in this process')
    })
    fastify.decorate('redisState', () => (redis.usable ? 'ok' : 'away'))
    fastify.decorate('redisFigures', redis.figures)
    fastify.addHook('onClose', async () => redis.disconnect())
    return register(redis)

    async function register(client: CacheRedis) {
      await fastify.register(fastifyRedis, { client: client as unknown as FastifyRedis })
    }
  },
  { name: 'redis' },
)
