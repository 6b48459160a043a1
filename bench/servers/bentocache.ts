import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { type PeerCache, startPeer, TTL_SECONDS } from './peer.js'
import type { Started } from './protocol.js'

/** BentoCache with two tiers and its bus: what a user would take for a cache in the process and in Redis. */
export function startBentoCache(databaseUrl: string, redisUrl: string): Promise<Started> {
  return startPeer(databaseUrl, async (app) => {
    const connection = new Redis(redisUrl)
    const { hostname: host, port } = new URL(redisUrl)
    const store = bentostore()
      // The text itself: to parse an entry at each hit would take longer than all the rest.
      .useL1Layer(memoryDriver({ serialize: false, maxItems: 1000 }))
      .useL2Layer(redisDriver({ connection }))
      .useBus(redisBusDriver({ connection: { host, port: Number(port) } }))
    const bento = new BentoCache({
      default: 'views',
      stores: { views: store },
      ttl: 1000 * TTL_SECONDS,
    })
    app.addHook('onClose', () => bento.disconnectAll())
    const cache: PeerCache = {
      getOrSet: (key, make) => bento.getOrSet({ key, factory: make }),
      delete: (keys) => bento.deleteMany({ keys }),
    }
    return cache
  })
}
