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
