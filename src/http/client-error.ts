import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Kind } from '../problems/kinds.js'
import { PROBLEM_TYPE, problem } from '../problems/problem.js'
import { randomId } from './request-id.js'
import { SECURITY_HEADERS } from './security-headers.js'

const HEADERS = Object.entries({
  ...SECURITY_HEADERS,
  'content-type': PROBLEM_TYPE,
  'cache-control': 'no-store',
  connection: 'close',
})
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')

/**
 * Answers what the HTTP parser rejects before there is a request: a problem like any other, and the
 * end of the connection. A request that was answered before its body turned out to be broken gets no
 * second answer.
 */
export function answerClientError(
  this: FastifyInstance,
  error: ParserError,
  socket: ServerSocket,
): void {
  if (socket._httpMessage?.headersSent) {
    socket.end()
    return
  }
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const answer = problem(...explain(error), '')
  const { status } = answer
  const id = randomId()
  const { code } = error
  this.refusals.write('parser', {
    'http.request.id': id,
    'http.response.status_code': status,
    'client.ip': socket.remoteAddress,
    'error.type': code,
  })
  const body = JSON.stringify(answer)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${HEADERS}` +
      `x-request-id: ${id}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

type ParserError = Error & { code?: string }

/** `_httpMessage`: the answer under way, by which Node itself judges this in its own handler. */
type ServerSocket = Socket & { _httpMessage?: ServerResponse | null }

function explain(error: ParserError): [kind: Kind, detail: string] {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['request-timeout', 'The request took too long to arrive']
    case 'HPE_HEADER_OVERFLOW':
      return ['headers-too-large', 'The headers are too large']
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return ['body-too-large', 'The chunk extensions are too large']
    default:
      return ['not-http', `This is not HTTP: ${error.message.replace(/^Parse Error: /, '')}`]
  }
}
