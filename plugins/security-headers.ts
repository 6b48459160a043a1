import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { POLICY, SECURITY_HEADERS } from '../src/http/security-headers.js'
import { ServiceResponse } from '../src/http/service-response.js'

/** Puts the security headers on every answer that does not bring them, as one that is injected. */
export default fp(
  async function securityHeadersPlugin(fastify) {
    fastify.addHook('onSend', (_request, reply, _payload, done) => {
      setSecurityHeaders(reply)
      done()
    })
  },
  { name: 'security-headers' },
)

export function setSecurityHeaders(reply: FastifyReply): void {
  if (reply.raw instanceof ServiceResponse) return
  const policy = reply.getHeader(POLICY)
  reply.headers(SECURITY_HEADERS)
  if (policy !== undefined) reply.header(POLICY, policy)
}
