import type { IncomingMessage } from 'node:http'
import createError from '@fastify/error'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { BoundedLog } from '../src/http/bounded-log.js'
import { clientAddress } from '../src/http/client-address.js'
import { REFUSALS } from '../src/http/refusal-log.js'
import type { RequestLine } from '../src/http/request-line.js'
import { sendAsProblem } from '../src/http/send-problem.js'
import { traceFields } from '../src/http/trace-context.js'
import { problem, problemOf } from '../src/problems/problem.js'
import { reasonOf } from '../src/problems/reason.js'
import type { Problem } from '../src/problems/schemas.js'
import { unwrapped } from '../src/store/errors.js'
import { setRequestId } from './request-id.js'
import { setSecurityHeaders } from './security-headers.js'

declare module 'fastify' {
  interface FastifyInstance {
    outages: BoundedLog
  }
}

const ExpectationFailed = createError(
  'EXPECTATION_FAILED',
  'Expect knows 100-continue alone (RFC 9110, 10.1.1)',
  417,
)

/**
 * Turns every error into `application/problem+json`: paths that do not exist, and also what Node would
 * answer by itself, with an empty body. Decorates `fastify.outages`: the log of what could not be done for
 * the moment, which an outage cannot fill.
 */
export default fp(
  async function errorsPlugin(fastify) {
    const outages = new BoundedLog(fastify.log, {
      perSecond: 1,
      level: 'error',
      says: 'request failed',
      saysMore: 'more requests failed in this second',
    })
    fastify.decorate('outages', outages)
    fastify.decorateRequest('problem', undefined)
    fastify.addHook('onClose', async () => outages.end())
    fastify.setErrorHandler(sendProblem)
    const unmet = new WeakSet<IncomingMessage>()
    fastify.server.on('checkExpectation', (request, response) => {
      unmet.add(request)
      // From here on a request like any other: its Host is looked at, and it is logged.
      fastify.server.emit('request', request, response)
    })
    fastify.addHook('onRequest', function refuseExpectation({ raw }, _reply, done) {
      done(unmet.has(raw) ? new ExpectationFailed() : undefined)
    })
    fastify.setNotFoundHandler((request, reply) => {
      // About the server, not about a path (RFC 9110, section 9.3.7).
      if (request.method === 'OPTIONS' && request.url === '*') return reply.code(204).send()
      const detail = `There is nothing at ${request.url.split('?', 1)[0]}`
      return sendAsProblem(reply, problem('not-found', detail, request.url))
    })
  },
  { name: 'errors', dependencies: ['host', 'refusals'] },
)

export function sendProblem(given: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const error = unwrapped(given) as FastifyError & { retryAfter?: number }
  const body = problemOf(error, request.url)
  if (body.status >= 500) logFailure(error, request)
  if ((body.status === 503 || body.status === 429) && !reply.hasHeader('retry-after')) {
    reply.header('retry-after', `${error.retryAfter ?? 1}`)
  }
  if (REFUSALS.has(body.status)) logRefusal(body, request)
  reply.header('cache-control', 'no-store')
  return sendAsProblem(reply, body)
}

/** Answers what the router itself rejects: no hook runs for it, so what they do is done here. */
export function sendUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  setSecurityHeaders(reply)
  setRequestId(reply)
  const fault = request.server.hostFault(request.raw) as FastifyError | undefined
  return sendProblem(fault ?? error, request, reply)
}

/** What is known to be away has no stack; of what nobody foresaw there is a line for each. */
function logFailure(error: FastifyError, request: FastifyRequest): void {
  const { statusCode, code, message } = error
  if (statusCode === 503 && code) {
    request.server.outages.write(code, {
      'http.request.id': request.id,
      ...askedOf(request),
      'error.message': message,
    } satisfies Partial<RequestLine>)
  } else {
    request.log.error({ err: error }, 'request failed')
  }
}

/** While the connection is there: afterwards nobody knows its address. */
function logRefusal(problem: Problem, request: FastifyRequest): void {
  const { id, headers, apiKey, server } = request
  server.refusals.write(`${problem.status}`, {
    'http.request.id': id === headers['x-request-id'] ? undefined : id,
    ...askedOf(request),
    'http.response.status_code': problem.status,
    'client.ip': clientAddress(request),
    'user.name': apiKey?.name,
    'error.type': reasonOf(problem).kind,
  } satisfies Partial<RequestLine>)
}

function askedOf({ method, routeOptions, raw }: FastifyRequest) {
  return {
    'http.request.method': method,
    'http.route': routeOptions.url,
    ...traceFields(raw),
  }
}
