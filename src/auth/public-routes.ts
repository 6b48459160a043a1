import type { FastifyRequest } from 'fastify'

/** The probes, the contract, what problems mean, and the pages with their files: what they show needs a key. */
const PUBLIC = /^\/(livez|readyz|openapi\.json|docs(\/.*)?|page\/.*|problems\/.*)?$/

/** What tells how the service is doing, and must not fall silent when it does badly. */
const MONITORING = new Set(['/livez', '/readyz', '/metrics', '/status'])

/** Whether a request needs no key. It is the route that counts: a path without one is not public. */
export function isPublic({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url !== undefined && PUBLIC.test(routeOptions.url)
}

/** Whether a request is answered under pressure too, and not counted. */
export function isMonitoring({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url !== undefined && MONITORING.has(routeOptions.url)
}
