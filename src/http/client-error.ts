import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { PROBLEM_TYPE, problem } from '../problems/problem.js'

/**
 * Answers what the HTTP parser rejects before there is a request: a problem like any other, and the
 * end of the connection. A request that was answered before its body turned out to be broken gets no
 * second answer.
 */
export function answerClientError(error: Error & { code?: string }, socket: ServerSocket): void {
  if (socket._httpMessage?.headersSent) {
    socket.end()
    return
  }
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] = explain(error)
  const body = JSON.stringify(problem(status, detail, ''))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
      `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** `_httpMessage`: the answer under way, by which Node itself judges this in its own handler. */
type ServerSocket = Socket & { _httpMessage?: ServerResponse | null }

function explain(error: Error & { code?: string }): [status: number, detail: string] {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'The request took too long to arrive']
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'The headers are too large']
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, 'The chunk extensions are too large']
    default:
      return [400, `This is not HTTP: ${error.message.replace(/^Parse Error: /, '')}`]
  }
}
