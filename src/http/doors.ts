import type { FastifyRequest } from 'fastify'

/** The probes, the contract, and the pages with their files: what they show needs a key. */
const OPEN = /^\/(livez|readyz|openapi\.json|docs(\/.*)?|page\/.*)?$/

/** What tells how the service is doing, and must not fall silent when it does badly. */
const WATCH = new Set(['/livez', '/readyz', '/metrics'])

/** Whether a request needs no key. It is the route that counts: a path without one is not open. */
export function isOpen({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url !== undefined && OPEN.test(routeOptions.url)
}

/** Whether a request is answered under pressure too, and not counted. */
export function isWatch({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url !== undefined && WATCH.has(routeOptions.url)
}
