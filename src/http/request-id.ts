import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * The id that the client gave the request, if it can stand in a header and a log; else a random one: a
 * count would tell everybody how much the service is asked.
 */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomId()
}

const DIGITS = 32
/** Random digits, of which an id is a piece: each made for itself, or a UUID, takes ten times as long. */
let digits = ''
let used = 0

/** 128 random bits, in hexadecimal digits. */
export function randomId(): string {
  if (used === digits.length) {
    digits = randomBytes(4096).toString('hex')
    used = 0
  }
  used += DIGITS
  return digits.slice(used - DIGITS, used)
}

/** The line of a head that says an id. */
export function idLine(id: string): string {
  return `x-request-id: ${id}\r\n`
}
