import fastifyRedis from '@fastify/redis'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { GuestRedis } from '../src/cache/guest-redis.js'
import { MemoryRedis } from '../src/cache/memory-redis.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** `off`: no Redis is configured, an in-process store serves; `away`: it cannot be reached. */
    redisState: () => 'ok' | 'away' | 'off'
  }
}

/**
 * Decorates `fastify.redis`: the configured Redis, or else an in-process store that knows the commands
 * which the cache uses (getBuffer, pttl, set, unlink). Only a cache may depend on it: any command may
 * fail at any moment.
 */
export default fp(
  async function redisPlugin(fastify) {
    const { redisUrl } = fastify.config
    if (redisUrl === undefined) {
      fastify.decorate('redisState', () => 'off' as const)
      await fastify.register(fastifyRedis, { client: new MemoryRedis() as unknown as Redis })
      return
    }

    const client = new GuestRedis(redisUrl)
    fastify.decorate('redisState', () => (client.status === 'ready' ? 'ok' : 'away'))
    fastify.addHook('onClose', async () => client.disconnect())
    logChangesOfState(client)
    await fastify.register(fastifyRedis, { client: alwaysReady(client) })

    function logChangesOfState(client: Redis) {
      let away: boolean | undefined
      let reason: Error | undefined
      client.on('error', (error) => {
        reason = error
      })
      client.on('ready', () => {
        if (away !== false) fastify.log.info('Redis is here: answers are shared through it')
        away = false
      })
      client.on('close', () => {
        if (away !== true) {
          fastify.log.warn(
            { reason: reason?.message },
            'Redis is away: answers are cached in process',
          )
        }
        away = true
      })
    }
  },
  { name: 'redis' },
)

/**
 * @fastify/redis lets the boot wait until a client is ready, and fail if Redis refuses it. This one
 * passes for ready, so that the service starts without its Redis.
 */
function alwaysReady(client: Redis): Redis {
  return new Proxy(client, {
    get(target, property) {
      if (property === 'status') return 'ready'
      const value = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
