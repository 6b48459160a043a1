import fp from 'fastify-plugin'
import { SECURITY_HEADERS } from '../src/http/security-headers.js'

/** A page's own stands. */
const POLICY = 'content-security-policy'

/** Puts the security headers on every answer. */
export default fp(
  async function securityHeadersPlugin(fastify) {
    fastify.addHook('onSend', function setSecurityHeaders(_request, reply, _payload, done) {
      const policy = reply.getHeader(POLICY)
      reply.headers(SECURITY_HEADERS)
      if (policy !== undefined) reply.header(POLICY, policy)
      done()
    })
  },
  { name: 'security-headers' },
)
