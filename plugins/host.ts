import type { IncomingMessage } from 'node:http'
import createError from '@fastify/error'
import fp from 'fastify-plugin'
import { isAllowedHost } from '../src/auth/allowed-hosts.js'
import { hasTwoHosts, hostsOf } from '../src/http/host.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What is wrong with the Host of a request. */
    hostFault: (request: IncomingMessage) => Error | undefined
  }
}

const NoHost = createError('NO_HOST', 'HTTP/1.1 requires a Host header (RFC 9112, 3.2)', 400)
const TwoHosts = createError('TWO_HOSTS', 'There may be one Host header (RFC 9112, 3.2)', 400)
const Misdirected = createError(
  'MISDIRECTED',
  'The Host of this request is not served here; ALLOWED_HOSTS says which ones are, beside localhost',
  421,
)

/**
 * Turns away what is not meant for the service, in front of everything else: without keys the name that
 * a browser asks for is all that tells a page of this machine from one of the internet whose name was
 * made to lead here (DNS rebinding). The name is that of Host, and never of X-Forwarded-Host, which any
 * page may set. Decorates `fastify.hostFault`.
 */
export default fp(
  async function hostPlugin(fastify) {
    const { apiKeys, allowedHosts } = fastify.config
    const isChecked = apiKeys.length === 0 || allowedHosts.length > 0

    // A client names the same one again and again, and to read an address takes a microsecond.
    let last: string | undefined
    const isOurs = (host: string) => {
      if (host === last) return true
      const isAllowed = isAllowedHost(allowedHosts, host)
      if (isAllowed) last = host
      return isAllowed
    }

    // Node's own check of Host, which src/app.ts switches off, would answer with an empty body.
    fastify.decorate('hostFault', (request) => {
      if (request.headers.host === undefined) {
        // No browser speaks HTTP/1.0.
        if (request.httpVersion === '1.1') return new NoHost()
      } else if (hasTwoHosts(request)) return new TwoHosts()
      return isChecked && !hostsOf(request).every(isOurs) ? new Misdirected() : undefined
    })
    fastify.addHook('onRequest', function checkHost({ raw }, _reply, done) {
      done(fastify.hostFault(raw))
    })
  },
  { name: 'host' },
)
