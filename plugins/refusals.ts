import fp from 'fastify-plugin'
import { RefusalLog } from '../src/http/refusal-log.js'

declare module 'fastify' {
  interface FastifyInstance {
    refusals: RefusalLog
  }
}

/** Decorates `fastify.refusals`: the log of who was refused, which nobody can fill. */
export default fp(
  async function refusalsPlugin(fastify) {
    const refusals = new RefusalLog(fastify.log)
    fastify.decorate('refusals', refusals)
    fastify.addHook('onClose', async () => refusals.end())
  },
  { name: 'refusals' },
)
