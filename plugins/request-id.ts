import fp from 'fastify-plugin'

/** Puts the id of a request, which is on every line of its log, into its answer. */
export default fp(
  async function requestIdPlugin(fastify) {
    fastify.addHook('onSend', function setRequestId(request, reply, _payload, done) {
      reply.header('x-request-id', request.id)
      done()
    })
  },
  { name: 'request-id' },
)
