import { promisify } from 'node:util'
import fastifyCaching from '@fastify/caching'
import { startPeer, TTL_SECONDS } from './peer.js'
import type { Started } from './protocol.js'

type Callback<T> = (error: unknown, result: T) => void

/** The store of the plugin, as its documentation has it; its types leave `delete` out. */
interface AbstractCache {
  get(key: string, callback: Callback<{ item: string } | null>): void
  set(key: string, value: string, ttlMs: number, callback: Callback<void>): void
  delete(key: string, callback: Callback<void>): void
}

/**
 * `@fastify/caching` over the store that it has by itself, in the memory of the process, which answers
 * quicker than one in Redis.
 */
export function startFastifyCaching(databaseUrl: string): Promise<Started> {
  return startPeer(databaseUrl, async (app) => {
    await app.register(fastifyCaching)
    const cache = app.cache as unknown as AbstractCache
    const get = promisify(cache.get.bind(cache))
    const set = promisify(cache.set.bind(cache))
    const drop = promisify(cache.delete.bind(cache))
    return {
      async getOrSet(key, make) {
        const found = await get(key)
        if (found) return found.item
        const made = make()
        await set(key, made, 1000 * TTL_SECONDS)
        return made
      },
      delete: (keys) => Promise.all(keys.map((key) => drop(key))),
    }
  })
}
