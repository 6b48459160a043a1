import fp from 'fastify-plugin'

/** Puts the id of a request, which is on every line of its log, into its answer. */
export default fp(
  async function requestIdPlugin(fastify) {
    fastify.addHook('onRequest', function setRequestId(request, reply, done) {
      reply.header('x-request-id', request.id)
      done()
    })
  },
  { name: 'request-id' },
)
