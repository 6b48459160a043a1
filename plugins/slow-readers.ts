import fp from 'fastify-plugin'
import { LIMITS, SlowReaders } from '../src/http/slow-readers.js'

/** Ends the connections of clients that take less of an answer than they must. */
export default fp(
  async function slowReadersPlugin(fastify) {
    const readers = new SlowReaders()
    fastify.server.on('connection', (socket) => readers.watch(socket))
    const timer = setInterval(() => {
      const ended = readers.look()
      if (ended > 0) fastify.log.warn({ connections: ended }, 'ended: they read too slowly')
    }, LIMITS.everyMs).unref()
    fastify.addHook('onClose', async () => clearInterval(timer))
  },
  { name: 'slow-readers' },
)
