import fp from 'fastify-plugin'
import { BodyStream } from '../src/cache/body.js'
import { LIMITS, SlowReaders } from '../src/http/slow-readers.js'

declare module 'fastify' {
  interface FastifyInstance {
    slowReaders: SlowReaders
  }
}

/** Ends the connections of clients that take less of an answer than they must. Decorates `fastify.slowReaders`. */
export default fp(
  async function slowReadersPlugin(fastify) {
    const readers = new SlowReaders()
    fastify.decorate('slowReaders', readers)
    fastify.server.on('connection', (socket) => readers.watch(socket))
    fastify.addHook('onSend', function noteBody({ raw }, _reply, payload, done) {
      if (Buffer.isBuffer(payload)) readers.sends(raw.socket, payload)
      else if (payload instanceof BodyStream) readers.sends(raw.socket, payload.body)
      done()
    })
    const timer = setInterval(() => {
      const ended = readers.look()
      if (ended > 0)
        fastify.log.warn(
          { connections: ended },
          'ended: they read too slowly, or too much waited in all',
        )
    }, LIMITS.everyMs).unref()
    fastify.addHook('onClose', async () => clearInterval(timer))
  },
  { name: 'slow-readers' },
)
