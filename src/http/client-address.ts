import { isIP } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

type Client = Pick<FastifyRequest, 'ip' | 'socket'>

/** Who asks: as the proxies that are believed have it, or else the other end of the connection. */
export function clientAddress({ ip, socket }: Client): string {
  // X-Forwarded-For may hold anything, and what is no address must not get into logs and counters.
  return isIP(ip) === 0 ? (socket.remoteAddress ?? 'gone') : ip
}

/** What one client has for itself: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function clientNetwork(client: Client): string {
  return fastifyRateLimit.normalizeIP(clientAddress(client))
}

/** Who is counted for what a request takes: its key, or else its address. */
export function clientOf(request: FastifyRequest): string {
  const { apiKey } = request
  return apiKey ? `key:${apiKey.name}` : `ip:${clientNetwork(request)}`
}

/**
 * Fastify's `trustProxy`. Fastify believes no count of hops any more, since nothing tells it that the
 * nearest one is a proxy; here whoever configures a count says that nobody gets past the proxies.
 */
export function trustedProxies<T extends boolean | string[]>(trusted: T | number) {
  if (typeof trusted !== 'number') return trusted
  return (_address: string, hop: number) => hop < trusted
}
