import fp from 'fastify-plugin'
import { POLICY, SECURITY_HEADERS } from '../src/http/security-headers.js'
import { ServiceResponse } from '../src/http/service-response.js'

/** Puts the security headers on every answer that does not bring them, as one that is injected. */
export default fp(
  async function securityHeadersPlugin(fastify) {
    fastify.addHook('onSend', function setSecurityHeaders(_request, reply, _payload, done) {
      if (!(reply.raw instanceof ServiceResponse)) {
        const policy = reply.getHeader(POLICY)
        reply.headers(SECURITY_HEADERS)
        if (policy !== undefined) reply.header(POLICY, policy)
      }
      done()
    })
  },
  { name: 'security-headers' },
)
