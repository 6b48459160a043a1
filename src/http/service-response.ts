import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http'

/**
 * An answer of which some header lines are there as text, for those that are sent again and again: Node
 * looks at each character of each header of each answer anew, which is a tenth of what a cached one costs.
 *
 * Given to `http.createServer` (https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener).
 * `_storeHeader(firstLine, headers)` is how Node and every subclass of `OutgoingMessage` put a head
 * together: behind its first line. What depends on the connection (Date, Connection, Keep-Alive,
 * Content-Length) is still Node's.
 */
export class ReadyResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  #lines = ''

  /**
   * Sends an answer.
   *
   * @param lines of its head, as {@link linesOf} makes them
   */
  endReady(status: number, lines: string, body?: Buffer): void {
    this.#lines = lines
    this.statusCode = status
    if (body) this.end(body)
    else this.end()
  }

  _storeHeader(firstLine: string, headers: unknown): void {
    storeHeader.call(this, firstLine + this.#lines, headers)
  }
}

const { _storeHeader: storeHeader } = ServerResponse.prototype as unknown as {
  _storeHeader: (this: ServerResponse, firstLine: string, headers: unknown) => void
}

/** Headers as the lines that {@link ReadyResponse.endReady} takes. */
export function linesOf(headers: OutgoingHttpHeaders): string {
  let lines = ''
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, value as string)
    lines += `${name}: ${value}\r\n`
  }
  return lines
}
