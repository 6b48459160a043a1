import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Request } from 'autocannon'

/** Bytes in a second, of what is on an Ethernet of 1 Gbit/s. */
const GIGABIT = 125e6
/** Bytes of an answer in one segment, at the usual MTU of 1500 and with timestamps (RFC 7323), */
const SEGMENT = 1448
/** and those of the headers of IPv4 and TCP in front of it. */
const SEGMENT_HEADERS = 52

/** An answer as it came. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** Of head and body, as they are in the stream. */
  bytes: number
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** Asks once, on a connection that is kept. What it says of codings is what the request says: by itself nothing. */
export async function answerOf(
  url: string,
  { method, path, headers, body }: Request,
): Promise<Answer> {
  const asked = request(url + path, { method, agent, headers: { ...headers } }).end(body)
  const [socket] = await once(asked, 'socket')
  const before = socket.bytesRead
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const content = await buffer(response)
  return {
    status: response.statusCode as number,
    headers: response.headers,
    body: content,
    bytes: socket.bytesRead - before,
  }
}

/**
 * So many answers of a size go through 1 Gbit/s in a second: with the headers of IP and TCP, and without
 * those of Ethernet, acknowledgements and requests.
 */
export function perGigabit(bytes: number): number {
  return GIGABIT / (bytes + SEGMENT_HEADERS * Math.ceil(bytes / SEGMENT))
}
