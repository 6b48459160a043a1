import { METHODS } from 'node:http'
import type { FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { sendAsProblem } from '../src/http/send-problem.js'
import { problem } from '../src/problems/problem.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** To be called once, when every route stands. */
    answerOtherMethods: () => void
  }
}

/**
 * Decorates `fastify.answerOtherMethods`, which answers the methods that a path does not have:
 * OPTIONS with 204, the others with 405, both with `Allow` (RFC 9110, sections 9.3.7 and 15.5.6).
 */
export default fp(
  async function methodsPlugin(fastify) {
    const urls = new Set<string>()
    fastify.addHook('onRoute', ({ url }) => {
      urls.add(url)
    })

    fastify.decorate('answerOtherMethods', () => {
      for (const method of METHODS) {
        // CONNECT never becomes a request in Node.
        if (method !== 'CONNECT' && !fastify.supportedMethods.includes(method)) {
          fastify.addHttpMethod(method)
        }
      }
      for (const url of [...urls]) {
        const has = (method: string) => fastify.hasRoute({ url, method: method as HTTPMethods })
        const allow = fastify.supportedMethods
          .filter((method) => method === 'OPTIONS' || has(method))
          .sort()
          .join(', ')
        fastify.route({
          url,
          method: fastify.supportedMethods.filter((method) => !has(method)),
          schema: { hide: true },
          // In front of the body, which may be anything for a method that is not possible.
          onRequest: async (request, reply) => answer(request, reply.header('allow', allow)),
          handler: () => {},
        })
      }
    })
  },
  { name: 'methods' },
)

function answer(request: FastifyRequest, reply: FastifyReply) {
  if (request.method === 'OPTIONS') return reply.code(204).send()
  const detail = `${request.method} is not possible here; Allow says what is`
  return sendAsProblem(reply, problem('method-not-allowed', detail, request.url))
}
