import fastifyCaching, { type AbstractCacheCompliantObject } from '@fastify/caching'
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onSendHookHandler,
  RouteOptions,
} from 'fastify'
import fp from 'fastify-plugin'
import { announceView, CACHE_CONTROL, sendCopy, sendNotModified } from '../src/cache/answers.js'
import { collect } from '../src/cache/collect.js'
import { Flights } from '../src/cache/flights.js'
import { type Copy, NearCopies } from '../src/cache/near-copies.js'
import { cacheKey } from '../src/cache/versioned.js'
import { ViewStream } from '../src/employees/json-array-stream.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Caches the answers of a GET route, which returns `fastify.employees.view(view)`. `ttl` in
     * seconds.
     */
    cache?: { view: string; ttl: number }
  }
  interface FastifyInstance {
    nearCopies: NearCopies
  }
  interface FastifyRequest {
    /** Ends the flight that this request leads, with the copy that it made for the others. */
    land: ((copy?: Copy) => void) | undefined
  }
}

/**
 * Declarative caching: a route that says `config: { cache: { view, ttl } }` is answered from the near
 * copy or `fastify.cache` (which keeps its entries in Redis) in front of its handler, and what its
 * handler returns is stored behind it. Decorates `fastify.nearCopies` and, by @fastify/caching,
 * `fastify.cache`.
 */
export default fp(
  async function cachingPlugin(fastify) {
    const copies = new NearCopies()
    const flights = new Flights<Copy>()
    fastify.decorate('nearCopies', copies)
    fastify.decorateRequest('land', undefined)
    await fastify.register(fastifyCaching, {
      privacy: CACHE_CONTROL,
      cache: cacheInRedis(fastify),
    })

    fastify.addHook('onRoute', (route) => {
      const cache = route.config?.cache
      if (!cache) return
      fastify.addHook('onReady', async () => {
        await fastify.employees.version(cache.view)
      })
      addFirst(route, 'onRequest', answerFromCache)
      // In front of Fastify's own hook for HEAD, which drops the body.
      addFirst(route, 'onSend', storeInCache)
      addFirst(route, 'onResponse', (request: FastifyRequest, _reply: unknown, done: Done) => {
        request.land?.()
        done()
      })
    })

    fastify.employees.onCommit(() => forgetOutdated().catch(ignore))

    async function answerFromCache(request: FastifyRequest, reply: FastifyReply) {
      const { view } = cacheOf(request)
      const version = await fastify.viewVersion(view)
      if (sendNotModified(request, reply, view, version)) return
      const near = copies.get(view, version)
      if (near) sendCopy(reply, near, 'near')
      else await answerFromFar(request, reply, view, version)
    }

    /** From Redis or a fill under way; if neither has it, goes on to the handler. */
    async function answerFromFar(
      request: FastifyRequest,
      reply: FastifyReply,
      view: string,
      version: string,
    ) {
      const key = cacheKey(view, version)
      const flight = flights.join(key)
      if (flight) {
        const shared = await flight
        if (shared) sendCopy(reply, shared, 'collapsed')
        return
      }
      if (request.method === 'GET') request.land = flights.lead(key)
      const cached = await get(key)
      if (cached) {
        const copy = copies.set(view, version, cached.item, cached.ttl)
        request.land?.(copy)
        sendCopy(reply, copy, 'redis')
      }
    }

    const storeInCache: onSendHookHandler<unknown> = (request, reply, payload, done) => {
      if (payload instanceof ViewStream) {
        fill(request, reply, payload).then((body) => done(null, body), done)
        return
      }
      request.land?.()
      if (reply.statusCode === 200 && !reply.hasHeader('etag')) done(new Error(NOT_A_VIEW))
      else done()
    }

    async function fill(request: FastifyRequest, reply: FastifyReply, stream: ViewStream) {
      const { view, ttl } = cacheOf(request)
      const { version } = stream
      const body = await collect(stream)
      if (Buffer.isBuffer(body)) fastify.metrics.viewFilled(view, stream.age / 1000)
      // A HEAD runs the same handler, but what it sends is no body to store.
      const store =
        Buffer.isBuffer(body) &&
        request.method === 'GET' &&
        version === (await fastify.employees.version(view))
      announceView(reply, view, version, store ? 'stored' : 'passed')
      if (!store) return body
      const copy = copies.set(view, version, body, ttl * 1000)
      request.land?.(copy)
      fastify.cache.set(cacheKey(view, version), body, ttl * 1000)
      return body
    }

    function get(key: string) {
      return new Promise<{ item: Buffer; ttl: number } | null>((resolve, reject) => {
        fastify.cache.get<Buffer>(key, (error, cached) => (error ? reject(error) : resolve(cached)))
      })
    }

    /** Best effort, beside the answers to writes: nobody reads these entries again. */
    async function forgetOutdated() {
      for (const [view, version] of copies.versions()) {
        if ((await fastify.employees.version(view)) === version) continue
        copies.delete(view)
        fastify.redis.unlink(cacheKey(view, version)).catch(ignore)
      }
    }
  },
  { name: 'caching', dependencies: ['redis', 'metrics', 'employees', 'versions'] },
)

const NOT_A_VIEW = 'A route with config.cache must return fastify.employees.view(name)'

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

function cacheOf(request: FastifyRequest) {
  return request.routeOptions.config.cache as { view: string; ttl: number }
}

function addFirst(
  route: RouteOptions,
  hook: 'onRequest' | 'onSend' | 'onResponse',
  handler: unknown,
): void {
  route[hook] = [handler, route[hook] ?? []].flat() as never
}

function ignore(): void {}
