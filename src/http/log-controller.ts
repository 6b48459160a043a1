import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { reasonOf } from '../problems/reason.js'
import type { Problem } from '../problems/schemas.js'
import { REFUSALS } from './refusal-log.js'
import { pathOf, type RequestLine } from './request-line.js'
import { traceFields } from './trace-context.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** What it was answered with, if that is a problem. */
    problem: Problem | undefined
    /** Where its answer comes from, if that is a cached view. */
    cacheSource: string | undefined
  }
}

/** Levels at which the access log is off. */
const QUIET = new Set(['silent', 'fatal', 'error', 'warn'])

/**
 * The access log: one line for each request, when it was answered. What was refused has its lines in the log
 * of refusals alone.
 */
export class AccessLog extends LogController {
  readonly #isQuiet: boolean

  /** @param of the log, for good */
  constructor(level: string) {
    super({ requestIdLogLabel: 'http.request.id' satisfies keyof RequestLine })
    this.#isQuiet = QUIET.has(level)
  }

  override incomingRequest(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    if ((this.#isQuiet && !error) || REFUSALS.has(reply.statusCode)) return
    const { log } = reply.server
    const { id, method, url, apiKey, cacheSource, problem, raw } = request
    const reason = problem && reasonOf(problem)
    const trace = traceFields(raw)
    const line: Partial<RequestLine> = {
      'http.request.id': id,
      'http.request.method': method,
      'url.path': pathOf(url),
      'http.response.status_code': reply.statusCode,
      'event.duration': Math.round(reply.elapsedTime * 1000) * 1000,
      cacheSource,
      'user.name': apiKey?.name,
      'error.type': reason?.kind,
      'error.message': reason?.fields,
      'trace.id': trace?.['trace.id'],
      'span.id': trace?.['span.id'],
    }
    if (error) log.error({ ...line, err: error }, 'request failed')
    else log.info(line, 'request')
  }
}
