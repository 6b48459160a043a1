import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http'
import { KEEP_ALIVE_SECONDS } from './idle-connections.js'
import { POLICY, SECURITY_HEADERS } from './security-headers.js'

/**
 * An answer of the service: it has the security headers, whoever makes it, and may have others that are
 * there as text. Node looks at each character of each header of each answer anew, which is a tenth of what a
 * cached one costs; these are looked at once.
 *
 * Given to `http.createServer` (https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener).
 * `_storeHeader(firstLine, headers)` is how Node and every subclass of `OutgoingMessage` put a head
 * together: behind its first line. What depends on the connection (Date, Connection, Keep-Alive,
 * Content-Length) is still Node's, which takes the time of the last from the server: that has none.
 */
export class ServiceResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** More lines of its head, as {@link linesOf} makes them. */
  lines = ''
  declare _keepAliveTimeout: number

  /** Sends an answer whose head is nothing but lines. */
  endReady(status: number, lines: string, body?: Buffer): void {
    this.lines = lines
    this.statusCode = status
    if (body) this.end(body)
    else this.end()
  }

  _storeHeader(firstLine: string, headers: OutgoingHttpHeaders | undefined): void {
    // A page has a policy of its own.
    const security = headers?.[POLICY] === undefined ? ALL : ALL_BUT_POLICY
    this._keepAliveTimeout = 1000 * KEEP_ALIVE_SECONDS
    storeHeader.call(this, firstLine + this.lines + security, headers)
  }
}

const { _storeHeader: storeHeader } = ServerResponse.prototype as unknown as {
  _storeHeader: (this: ServerResponse, firstLine: string, headers: unknown) => void
}

/**
 * Headers as lines, valid ones, each with its CRLF. In one piece, as `join` makes it: what is added up V8 keeps
 * as a tree, which it would walk through anew for each answer.
 */
export function linesOf(headers: OutgoingHttpHeaders): string {
  const lines = Object.entries(headers).map(([name, value]) => {
    validateHeaderName(name)
    validateHeaderValue(name, value as string)
    return `${name}: ${value}\r\n`
  })
  return lines.join('')
}

const { [POLICY]: _, ...others } = SECURITY_HEADERS
const ALL = linesOf(SECURITY_HEADERS)
const ALL_BUT_POLICY = linesOf(others)
