import type { FastifyReply } from 'fastify'
import { PROBLEM_TYPE } from '../problems/problem.js'
import type { Problem } from '../problems/schemas.js'

/** Answers with a problem, and leaves it for the log. */
export function sendAsProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  reply.request.problem = problem
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem)
}
