import fastifyRedis, { type FastifyRedis } from '@fastify/redis'
import fp from 'fastify-plugin'
import type { ByteStore } from '../src/cache/byte-store.js'
import { MemoryStore } from '../src/cache/memory-store.js'
import { RedisStore } from '../src/cache/redis-store.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** `off`: no Redis is configured, an in-process store serves; `away`: it cannot be used now. */
    redisState: () => 'ok' | 'away' | 'off'
    /** Undefined: no Redis is configured. */
    redisStats: RedisStore['stats'] | undefined
  }
}

/**
 * Decorates `fastify.redis`: the configured Redis, or else an in-process store. Both know the commands
 * of {@link ByteStore}, whatever else @fastify/redis's type says.
 */
export default fp(
  async function redisPlugin(fastify) {
    const { redisUrl } = fastify.config
    if (redisUrl === undefined) {
      fastify.decorate('redisState', () => 'off' as const)
      fastify.decorate('redisStats', undefined)
      return register(new MemoryStore())
    }

    const redis = new RedisStore(redisUrl, (reason) => {
      if (reason === undefined) fastify.log.info('Redis is here: cached answers are shared')
      else fastify.log.warn({ reason }, 'Redis is away: answers are cached in this process')
    })
    fastify.decorate('redisState', () => (redis.usable ? 'ok' : 'away'))
    fastify.decorate('redisStats', redis.stats)
    fastify.addHook('onClose', async () => redis.disconnect())
    return register(redis)

    async function register(client: ByteStore) {
      await fastify.register(fastifyRedis, { client: client as unknown as FastifyRedis })
    }
  },
  { name: 'redis' },
)
