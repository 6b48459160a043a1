import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { REFUSALS } from './refusal-log.js'

/** Levels at which the access log is off. */
const QUIET = new Set(['silent', 'fatal', 'error', 'warn'])

/**
 * The access log: one line for each request, when it was answered; `key` is the name of the key. What was
 * refused has its lines in the log of refusals alone.
 */
export class AccessLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const { log } = reply.server
    if (REFUSALS.has(reply.statusCode) || (!error && QUIET.has(log.level))) return
    const { method, url, apiKey } = request
    const ms = Math.round(reply.elapsedTime * 100) / 100
    const line = { method, url, status: reply.statusCode, ms, key: apiKey?.name }
    if (error) request.log.error({ ...line, err: error }, 'request failed')
    else log.info({ reqId: request.id, ...line }, 'request')
  }
}
