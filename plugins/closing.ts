import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'

/** How long the service goes on serving after it was told to close. */
const DRAIN_MS = 500
/** How often it looks then which connections have nothing under way any more. */
const SWEEP_MS = 50

declare module 'fastify' {
  interface FastifyInstance {
    isClosing: () => boolean
  }
}

/**
 * Closing in two steps: /readyz turns 503 at once, so that load balancers look elsewhere, and every
 * answer ends its connection, so that clients do; half a second later the port is closed, and what is
 * under way is finished: a request whose head has arrived. Connections without one are ended, whether
 * they are idle, silent or in the midst of a head. Decorates `fastify.isClosing`.
 */
export default fp(
  async function closingPlugin(fastify) {
    const { server, connections } = fastify
    let closing = false
    fastify.decorate('isClosing', () => closing)
    fastify.addHook('preClose', async () => {
      closing = true
      if (!server.listening) return
      await delay(DRAIN_MS)
      // The port is closed when this hook is done. What clients had sent by then is read in the same
      // turn of the event loop, in front of this.
      setImmediate(endIdle)
      const sweeping = setInterval(endIdle, SWEEP_MS)
      server.once('close', () => clearInterval(sweeping))
    })

    function endIdle(): void {
      for (const socket of connections as ReadonlySet<ServerSocket>) {
        if (!socket._httpMessage) socket.destroy()
      }
    }
  },
  { name: 'closing', dependencies: ['connections'] },
)

/** `_httpMessage`: the answer under way, by which Node itself judges this in `closeIdleConnections`. */
type ServerSocket = Socket & { _httpMessage?: ServerResponse | null }
