import fp from 'fastify-plugin'
import { type ApiKey, findKey } from '../src/auth/api-keys.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that the client showed, if it is a configured one. */
    apiKey: ApiKey | undefined
  }
}

/** Decorates `request.apiKey`: who asks. What they may do is the matter of plugins/authorization.ts. */
export default fp(
  async function authenticationPlugin(fastify) {
    const { apiKeys } = fastify.config
    fastify.decorateRequest('apiKey', undefined)
    if (apiKeys.length === 0) return
    fastify.addHook('onRequest', async (request) => {
      request.apiKey = findKey(apiKeys, request.headers.authorization)
    })
  },
  { name: 'authentication' },
)
