import type { FastifyReply, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { View } from '../drizzle/define-view.js'
import { BodyStream } from '../src/cache/body.js'
import { cacheStatusWith } from '../src/cache/cache-status.js'
import type { Answer } from '../src/cache/view-cache.js'
import { notModifiedHeaders, viewHeaders } from '../src/http/view-headers.js'
import { noteSource } from './ready-answers.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The view that a route shows which caches it by hand. */
    view?: View
  }
  interface FastifyReply {
    /** Sends the answer of a cached view, and counts it. */
    sendView: (view: View, answer: Answer) => FastifyReply
  }
}

/** Decorates `reply.sendView`: what an answer of a cached view looks like, however it was found. */
export default fp(
  async function viewReplyPlugin(fastify) {
    fastify.decorateReply('sendView', function (view, answer) {
      return this.sendReady(view, answer) ? this : this.send(announceView(this, view, answer))
    })
    fastify.addHook('onRoute', (route) => {
      const view = shownView(route)
      if (!view) return
      fastify.metrics.viewShown(view.name, route.url)
      // A route for a view that nobody keeps fresh must not start.
      fastify.addHook('onReady', async () => void (await fastify.views.version(view)))
    })
  },
  {
    name: 'view-reply',
    dependencies: ['store', 'metrics', 'view-cache', 'compression', 'ready-answers'],
  },
)

/** The view that a route shows, if any. */
export function shownView({ config }: Pick<RouteOptions, 'config'>): View | undefined {
  return config?.view ?? config?.cache?.view
}

/**
 * Counts the answer of a view, and sets its status and headers.
 *
 * @returns the body to send: as the client likes it best, if it is there in that form
 */
export function announceView(reply: FastifyReply, view: View, answer: Answer): Answer['body'] {
  const { config, viewCache } = reply.server
  const { source, etag, body } = answer
  noteSource(reply, view, source)
  const status = cacheStatusWith(config.viewMaxStalenessMs)(answer)
  const coding = reply.coding()
  if (source === 'not_modified') {
    reply.code(304).headers(notModifiedHeaders(etag, status))
    return undefined
  }
  const encoded = coding && viewCache.encoded(view, answer, coding)
  reply.headers(viewHeaders(etag, status, encoded && coding))
  if (!encoded && body instanceof BodyStream) reply.header('content-length', body.body.length)
  return encoded ?? body
}
