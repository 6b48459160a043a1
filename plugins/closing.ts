import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'

/** How long the service goes on serving after it was told to close. */
const DRAIN_MS = 500

declare module 'fastify' {
  interface FastifyInstance {
    isClosing: () => boolean
  }
}

/**
 * Closing in two steps: /readyz turns 503 at once, so that load balancers look elsewhere, and every
 * answer ends its connection, so that clients do; half a second later the port is closed, and what is
 * under way is finished. Decorates `fastify.isClosing`.
 */
export default fp(
  async function closingPlugin(fastify) {
    let closing = false
    fastify.decorate('isClosing', () => closing)
    // A connection that was busy when the port was closed must not linger, kept alive, once it is idle.
    fastify.addHook('onResponse', (_request, _reply, done) => {
      if (!fastify.server.listening) fastify.server.closeIdleConnections()
      done()
    })
    fastify.addHook('preClose', async () => {
      closing = true
      if (fastify.server.listening) await delay(DRAIN_MS)
    })
  },
  { name: 'closing' },
)
