import createError from '@fastify/error'
import fp from 'fastify-plugin'
import { isPublic } from '../src/auth/public-routes.js'
import { MAX_REFUSALS, RefusalLimit, WINDOW_SECONDS } from '../src/auth/refusal-limit.js'
import { clientNetwork } from '../src/http/client-address.js'
import { rateLimitHeaders } from '../src/http/rate-limit-headers.js'

const KeyNeeded = createError('KEY_NEEDED', 'Send a key: "Authorization: Bearer KEY"', 401)
const KeyUnknown = createError('KEY_UNKNOWN', 'This key is not known here', 401)
const TooManyRefusals = createError(
  'TOO_MANY_REFUSALS',
  `More than ${MAX_REFUSALS} requests without a valid key in a minute; try again in %d seconds`,
  429,
)
const KeyMayOnlyRead = createError('KEY_MAY_ONLY_READ', 'This key may read, and not write', 403)

/** The methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
const CHALLENGE = 'Bearer realm="employees"'

/**
 * If keys are configured, lets in only requests that show one, and only its role's methods (RFC
 * 6750). It is a hook of the whole service, which runs in front of every hook and handler of a route:
 * also of the hook that answers from cache, and also where there is no route. Who has been refused too
 * often from an address is told to wait; a valid key is served from there all the same, since many may
 * share it.
 */
export default fp(
  async function authorizationPlugin(fastify) {
    if (fastify.config.apiKeys.length === 0) return

    const refusals = new RefusalLimit()
    fastify.addHook('onRequest', async function authorize(request, reply) {
      const { apiKey, headers, method } = request
      if (isPublic(request)) return
      if (!apiKey) {
        const wait = refusals.count(clientNetwork(request))
        if (wait > 0) {
          const quota = { policy: 'refusals', quota: MAX_REFUSALS, window: WINDOW_SECONDS }
          reply.headers(rateLimitHeaders({ ...quota, remaining: 0, reset: wait }))
          reply.header('retry-after', wait)
          throw new TooManyRefusals(wait)
        }
        const shown = /^Bearer\b/i.test(headers.authorization ?? '')
        reply.header('www-authenticate', CHALLENGE + (shown ? ', error="invalid_token"' : ''))
        throw shown ? new KeyUnknown() : new KeyNeeded()
      }
      if (apiKey.role === 'read' && !SAFE.has(method)) {
        reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="write"`)
        throw new KeyMayOnlyRead()
      }
    })
  },
  { name: 'authorization', dependencies: ['authentication'] },
)
