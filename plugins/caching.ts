import fastifyCaching, { type AbstractCacheCompliantObject } from '@fastify/caching'
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { View } from '../drizzle/define-view.js'
import { cacheKey } from '../src/cache/cache-key.js'
import type { SharedCache } from '../src/cache/shared-entries.js'
import { Miss } from '../src/cache/view-cache.js'
import { CACHE_CONTROL } from '../src/http/cache-control.js'
import { knownTag } from '../src/http/preconditions.js'
import { addFirst } from '../src/http/route-hooks.js'
import { ViewStream } from '../src/store/json-array-stream.js'
import { announceView } from './view-reply.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Caches the answers of a GET route, which returns `fastify.views.read(view)`. `ttl` in seconds. */
    cache?: { view: View; ttl: number }
  }
  interface FastifyRequest {
    /** What the handler of this request reads for itself, and for those who wait for it. */
    miss: Miss | undefined
  }
}

/**
 * Declarative caching: a route that says `config: { cache: { view, ttl } }` is answered in front of its
 * handler from what is kept, and what its handler returns is kept behind it. Entries are shared through
 * `fastify.cache`, which @fastify/caching decorates and which keeps them in `fastify.redis`.
 */
export default fp(
  async function cachingPlugin(fastify) {
    fastify.decorateRequest('miss', undefined)
    await fastify.register(fastifyCaching, {
      privacy: CACHE_CONTROL,
      cache: cacheInRedis(fastify),
    })

    fastify.addHook('onRoute', (route) => {
      if (!route.config?.cache) return
      const { view, ttl } = route.config.cache
      const shared = sharedCache(fastify, view, ttl * 1000)

      addFirst(route, 'onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
        const found = await fastify.viewCache.lookup(view, shared, knownTag(request), request.asked)
        if (!(found instanceof Miss)) return reply.sendView(view, found)
        request.miss = found
      })
      // In front of what is sent: who waits for this fill must not wait until that is done.
      addFirst(
        route,
        'onError',
        (request: FastifyRequest, _reply: unknown, error: Error, done: Done) => {
          request.miss?.abandon(error)
          done()
        },
      )
      // In front of Fastify's own hook for HEAD, which drops the body.
      addFirst(route, 'onSend', storeInCache(view))
      addFirst(route, 'onResponse', (request: FastifyRequest, _reply: unknown, done: Done) => {
        request.miss?.abandon()
        done()
      })
    })
  },
  { name: 'caching', dependencies: ['redis', 'view-cache', 'view-reply'] },
)

const NOT_A_VIEW = 'A route with config.cache must return fastify.views.read(view)'

function storeInCache(view: View): onSendHookHandler<unknown> {
  return ({ miss }, reply, payload, done) => {
    if (miss && payload instanceof ViewStream) {
      miss.fill(payload).then((answer) => {
        done(null, announceView(reply, view, answer))
      }, done)
      return
    }
    // An error, most likely: who waits for this fill must not wait until it is sent.
    miss?.abandon()
    if (reply.statusCode === 200 && !reply.hasHeader('etag')) done(new Error(NOT_A_VIEW))
    else done()
  }
}

/** A view in `fastify.cache`. */
function sharedCache({ cache, redis }: FastifyInstance, { name }: View, ttl: number): SharedCache {
  return {
    ttl,
    key: (version) => cacheKey(name, version),
    get: (key) =>
      new Promise((resolve, reject) => {
        cache.get<Buffer>(key, (error, cached) => {
          if (error) reject(error)
          else resolve(cached ? { value: cached.item, ttl: cached.ttl } : undefined)
        })
      }),
    set: async (key, value, left) => cache.set(key, value, left),
    unlink: (key) => redis.unlink(key),
  }
}

/**
 * The store behind `fastify.cache`, in the callback style of the abstract-cache protocol. Keys of
 * @fastify/caching's own segment always miss: it would answer 304 to any method for any entity tag it
 * finds there. An error is a miss.
 */
function cacheInRedis({ redis }: FastifyInstance): AbstractCacheCompliantObject {
  const store = {
    get(key: Key, callback: (error: null, cached: unknown) => void): void {
      if (typeof key !== 'string') callback(null, null)
      else
        lookUp(key).then(
          (cached) => callback(null, cached),
          () => callback(null, null),
        )
    },
    set(key: Key, value: Buffer, ttl: number, callback: (error: null) => void = ignore): void {
      keep(key, value, ttl)
        .catch(ignore)
        .then(() => callback(null))
    },
  }
  return store as AbstractCacheCompliantObject

  async function lookUp(key: string) {
    const [item, ttl] = await Promise.all([redis.getBuffer(key), redis.pttl(key)])
    return item && ttl > 0 ? { item, ttl, stored: 0 } : null
  }

  async function keep(key: Key, value: Buffer, ttl: number) {
    if (typeof key === 'string') await redis.set(key, value, 'PX', ttl)
  }
}
type Key = string | { id: string; segment: string }
type Done = () => void

function ignore(): void {}
