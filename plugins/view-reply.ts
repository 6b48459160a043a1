import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { View } from '../drizzle/define-view.js'
import { BodyStream } from '../src/cache/body.js'
import type { Answer } from '../src/cache/view-cache.js'
import { CACHE_CONTROL } from '../src/http/cache-control.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The view that a route shows which caches it by hand. */
    view?: View
  }
  interface FastifyInstance {
    /** The Cache-Status of an answer. */
    cacheStatus: (answer: Answer) => string
  }
  interface FastifyReply {
    /** Sends the answer of a cached view, and counts it. */
    sendView: (view: View, answer: Answer) => FastifyReply
  }
}

/** Decorates `reply.sendView`: what an answer of a cached view looks like, however it was found. */
export default fp(
  async function viewReplyPlugin(fastify) {
    fastify.decorate('cacheStatus', cacheStatusWith(fastify.config.viewMaxStalenessMs))
    fastify.decorateReply('sendView', function (view, answer) {
      return this.send(announceView(this, view, answer))
    })
    fastify.addHook('onRoute', ({ config, url }) => {
      const view = config?.view ?? config?.cache?.view
      if (!view) return
      fastify.metrics.viewShown(view.name, url)
      // A route for a view that nobody keeps fresh must not start.
      fastify.addHook('onReady', async () => void (await fastify.views.version(view)))
    })
  },
  { name: 'view-reply', dependencies: ['store', 'metrics', 'view-cache', 'compression'] },
)

/**
 * Counts the answer of a view, and sets its status and headers.
 *
 * @returns the body to send: as the client likes it best, if it is there in that form
 */
export function announceView(reply: FastifyReply, view: View, answer: Answer): Answer['body'] {
  const { source, etag, body } = answer
  const { metrics, cacheStatus, viewCache } = reply.server
  metrics.viewAnswered(view.name, source)
  const coding = reply.coding()
  const headers = { etag, 'cache-status': cacheStatus(answer) }
  if (source === 'not_modified') {
    // RFC 9110, section 15.4.5.
    reply.code(304).headers({ ...headers, 'cache-control': CACHE_CONTROL })
    return undefined
  }
  reply.headers({ ...headers, 'content-type': 'application/json; charset=utf-8' })
  const encoded = coding && viewCache.encoded(view, answer, coding)
  if (!encoded) {
    if (body instanceof BodyStream) reply.header('content-length', body.body.length)
    return body
  }
  reply.sentIn(coding)
  return encoded
}

/** Says, where answers may be older than the request, by how many milliseconds. */
function cacheStatusWith(maxStalenessMs: number): (answer: Answer) => string {
  if (maxStalenessMs === 0) return cacheStatus
  const parameter = `; employees-max-staleness=${maxStalenessMs}`
  return (answer) => cacheStatus(answer) + parameter
}

/** In the words of RFC 9211. */
function cacheStatus({ source, ttl }: Answer): string {
  switch (source) {
    case 'not_modified':
      return 'employees; hit; detail=version'
    case 'near':
    case 'redis':
      return `employees; hit; ttl=${Math.ceil(ttl / 1000)}; detail=${source}`
    case 'collapsed':
    case 'stored':
      return `employees; fwd=miss; ${source}`
    case 'parts':
      return 'employees; fwd=miss; detail=parts'
    case 'passed':
      return 'employees; fwd=miss'
  }
}
