import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import type { Asked } from '../src/cache/view-cache.js'
import { knownTag } from '../src/http/preconditions.js'
import { addFirst } from '../src/http/route-hooks.js'
import { shownView } from './view-reply.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request for a cached view: its version, and until when it waits for the database. */
    asked: Asked | undefined
  }
}

/** How long a request waits for the database to begin to answer, in milliseconds. */
const PATIENCE_MS = 2500

/**
 * Answers a cached view from the copy in this process, or with 304, in front of all else that its route
 * does, however that caches: most requests need nothing more.
 */
export default fp(
  async function nearCopiesPlugin(fastify) {
    fastify.decorateRequest('asked', undefined)
    fastify.addHook('onRoute', (route) => {
      const view = shownView(route)
      if (!view) return
      const answerNear = (
        request: FastifyRequest,
        reply: FastifyReply,
        done: HookHandlerDoneFunction,
      ) => {
        fastify.viewCache.near(
          view,
          knownTag(request),
          (found) => {
            if ('version' in found) {
              const deadline = performance.now() - reply.elapsedTime + PATIENCE_MS
              request.asked = { version: found.version, deadline }
              done()
            } else {
              reply.sendView(view, found)
            }
          },
          done as (error: unknown) => void,
        )
      }
      addFirst(route, 'onRequest', answerNear)
    })
  },
  // Behind what else puts hooks in front of such a route, and so in front of them.
  { name: 'near-copies', dependencies: ['caching'] },
)
