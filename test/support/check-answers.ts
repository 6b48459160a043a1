import { ServerResponse } from 'node:http'
import t from 'tap'
import type { ContentCoding } from '../../src/http/content-coding.js'
import { faultOf } from './contract.js'
import { DECODERS } from './decoders.js'

/**
 * From now on, every answer of a service in this process is checked against the contract, injected or
 * over a socket, and a fault fails the test file.
 */
export function checkAnswers(): void {
  const { write, end } = ServerResponse.prototype
  const bodies = new WeakMap<ServerResponse, Buffer[]>()
  const keep = (response: ServerResponse, chunk: unknown) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    const body = bodies.get(response) ?? []
    bodies.set(response, body)
    body.push(Buffer.from(chunk))
  }
  const check = (response: ServerResponse) => {
    // Other servers of tests do not have it.
    if (!response.hasHeader('x-request-id')) return
    const { method = '', url = '' } = response.req
    const { statusCode: status } = response
    const sent = Buffer.concat(bodies.get(response) ?? [])
    const coding = response.getHeader('content-encoding') as ContentCoding | undefined
    const body = coding && sent.length > 0 ? DECODERS[coding](sent) : sent
    const fault = faultOf({ method, url, status, headers: response.getHeaders(), body })
    if (fault)
      t.fail(`${method} ${url} gave ${status} with ${fault} (a new route? npm run openapi)`)
  }
  ServerResponse.prototype.write = function (this: ServerResponse, ...parameters: unknown[]) {
    keep(this, parameters[0])
    return write.apply(this, parameters as never)
  }
  ServerResponse.prototype.end = function (this: ServerResponse, ...parameters: unknown[]) {
    keep(this, parameters[0])
    this.once('finish', () => check(this))
    return end.apply(this, parameters as never)
  } as typeof end
}
