import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * The id that the client gave the request, if it can stand in a header and a log; else a random one: a
 * count would tell everybody how much the service is asked.
 */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

/** The line of a head that says an id. */
export function idLine(id: string): string {
  return `x-request-id: ${id}\r\n`
}
