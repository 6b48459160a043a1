import fp from 'fastify-plugin'

/** Puts the id of a request, which is on every line of its log, into its answer. */
export default fp(
  async function requestIdPlugin(fastify) {
    fastify.addHook('onRequest', async (request, reply) => {
      reply.header('x-request-id', request.id)
    })
  },
  { name: 'request-id' },
)
