import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { SharedProbe } from '../src/cache/shared-probe.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The version of a cached view at a moment within the time of this request. */
    viewVersion: (view: string, request: FastifyRequest) => string | Promise<string>
  }
}

/** Decorates `fastify.viewVersion`: requests that arrive together share a probe of the database. */
export default fp(
  async function versionsPlugin(fastify) {
    const { employees, server } = fastify
    const probe = new SharedProbe((view) => employees.version(view))
    employees.onCommit(() => probe.forget())
    fastify.decorate('viewVersion', (view, request) => probe.version(view, request.raw))
    // In front of Fastify, and also for requests that never come to it.
    server.prependListener('request', (request) => probe.arrived(request))
    server.prependListener('checkExpectation', (request) => probe.arrived(request))
  },
  { name: 'versions', dependencies: ['employees'] },
)
