import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { addLast } from '../src/http/route-hooks.js'

/** Tells clients what their request waited for, if that is configured. */
export default fp(
  async function serverTimingPlugin(fastify) {
    if (!fastify.config.serverTiming) return
    // Behind the hooks of a route, one of which fills a view.
    fastify.addHook('onRoute', (route) => addLast(route, 'onSend', tellTiming))
  },
  { name: 'server-timing', dependencies: ['caching', 'compression', 'journeys'] },
)

function tellTiming(
  { journey }: FastifyRequest,
  reply: FastifyReply,
  _: unknown,
  done: () => void,
) {
  const timing = journey?.serverTiming()
  if (timing) reply.header('server-timing', timing)
  done()
}
