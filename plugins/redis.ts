import fastifyRedis, { type FastifyRedis } from '@fastify/redis'
import fp from 'fastify-plugin'
import type { ByteStore } from '../src/cache/byte-store.js'
import { MemoryStore } from '../src/cache/memory-store.js'
import { RedisStore } from '../src/cache/redis-store.js'
import { SignedStore } from '../src/cache/signed-store.js'
import type { RedisStats } from '../src/metrics/redis.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** `off`: no Redis is configured, an in-process store serves; `away`: it cannot be used now. */
    redisState: () => 'ok' | 'away' | 'off'
    /** Undefined: no Redis is configured. */
    redisStats: (() => RedisStats) | undefined
  }
}

/**
 * Decorates `fastify.redis`: the configured Redis, or else an in-process store. Both know the commands
 * of {@link ByteStore}, whatever else @fastify/redis's type says.
 *
 * What is kept in Redis is signed with a secret of the database, which is why that comes first: whoever
 * can write to Redis can withhold an answer, and cannot give one.
 */
export default fp(
  async function redisPlugin(fastify) {
    const { redisUrl, redisTls } = fastify.config
    if (redisUrl === undefined) {
      fastify.decorate('redisState', () => 'off' as const)
      fastify.decorate('redisStats', undefined)
      return register(new MemoryStore())
    }

    const onChange = (reason: string | undefined) => {
      if (reason === undefined) fastify.log.info('Redis is here: cached answers are shared')
      else
        fastify.log.warn(
          { 'error.message': reason },
          'Redis is away: answers are cached in this process',
        )
    }
    const redis = new RedisStore(redisUrl, onChange, redisTls)
    const signed = new SignedStore(redis, fastify.db.secret('cache_entries'), (key) =>
      fastify.log.warn({ key }, 'an entry in Redis is not of this service: it is not used'),
    )
    fastify.decorate('redisState', () => (redis.usable ? 'ok' : 'away'))
    fastify.decorate('redisStats', () => ({ ...redis.stats, ...signed.stats }))
    fastify.addHook('onClose', async () => redis.disconnect())
    return register(signed)

    async function register(client: ByteStore) {
      await fastify.register(fastifyRedis, { client: client as unknown as FastifyRedis })
    }
  },
  { name: 'redis', dependencies: ['database'] },
)
