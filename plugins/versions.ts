import fp from 'fastify-plugin'
import { SharedProbe } from '../src/cache/shared-probe.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The version of a cached view at a moment between this call and its result. */
    viewVersion: (view: string) => Promise<string>
  }
}

/** Decorates `fastify.viewVersion`: requests that arrive together share a probe of the database. */
export default fp(
  async function versionsPlugin(fastify) {
    const probe = new SharedProbe((view) => fastify.employees.version(view))
    fastify.decorate('viewVersion', (view) => probe.version(view))
  },
  { name: 'versions', dependencies: ['employees'] },
)
