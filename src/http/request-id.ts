import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Of this process; a whole UUID for each request would take a microsecond. */
const PREFIX = randomUUID()
let count = 0

/** The id that the client gave the request, if it can stand in a header and a log; else a new one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)
    ? given
    : `${PREFIX}-${++count}`
}
