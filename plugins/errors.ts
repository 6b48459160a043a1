import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PROBLEM_TYPE, problem, problemOf } from '../src/http/problems.js'

/** Turns every error, and every path that does not exist, into `application/problem+json`. */
export default fp(
  async function errorsPlugin(fastify) {
    fastify.setErrorHandler(sendProblem)
    fastify.setNotFoundHandler((request, reply) => {
      reply
        .code(404)
        .type(PROBLEM_TYPE)
        .send(problem(404, `There is nothing at ${request.url.split('?', 1)[0]}`, request.url))
    })
  },
  { name: 'errors' },
)

export function sendProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const body = problemOf(error, request.url)
  if (body.status >= 500) request.log.error({ err: error }, 'request failed')
  if (body.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '1')
  return reply.code(body.status).type(PROBLEM_TYPE).send(body)
}
