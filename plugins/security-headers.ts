import fp from 'fastify-plugin'
import { SECURITY_HEADERS } from '../src/http/security-headers.js'

/** Puts the security headers on every answer. The pages bring a Content-Security-Policy of their own. */
export default fp(
  async function securityHeadersPlugin(fastify) {
    fastify.addHook('onRequest', function setSecurityHeaders(_request, reply, done) {
      reply.headers(SECURITY_HEADERS)
      done()
    })
  },
  { name: 'security-headers' },
)
