import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { dropInput } from './connections.js'

/** How many requests of a connection may wait for the answer in front of them. */
const MAX_PIPELINED = 64

/**
 * Begins the requests of a connection one at a time. Node parses whatever a client has sent and hands
 * over all of it at once, and keeps the answers until the one in front is sent; so one client could
 * hold the event loop, and open as many snapshots as it likes, with a few kilobytes. A request behind
 * another waits until its own answer can be sent, and then gives everybody else a turn.
 *
 * Who sends more than may wait gets the answers in front of that, and is disconnected.
 */
export default fp(
  async function pipeliningPlugin(fastify) {
    const waiting = new WeakMap<Socket, number>()
    const refused = new WeakSet<Socket>()

    fastify.addHook('onRequest', function waitForTurn({ raw: { socket } }, { raw }, done) {
      if (raw.socket) return done()
      // From here on a request that is never begun is no more than garbage.
      if (refused.has(socket)) return
      const count = waiting.get(socket) ?? 0
      if (count === MAX_PIPELINED) {
        refused.add(socket)
        raw.once('socket', fastify.endConnection)
        // Not before all that was read is parsed: nothing can stop that.
        process.nextTick(dropInput, socket)
        return
      }
      waiting.set(socket, count + 1)
      raw.once('socket', () => {
        waiting.set(socket, (waiting.get(socket) as number) - 1)
        setImmediate(() => socket.destroyed || done())
      })
    })
  },
  { name: 'pipelining', dependencies: ['connections'] },
)
