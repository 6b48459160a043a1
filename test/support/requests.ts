import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Scope } from './scope.js'

const ada = '{"name":"Ada","salary":1,"department":"Engineering"}'

/** Creates an employee; `employee` as JSON. */
export function post(url: string, employee = ada): Promise<Response> {
  return fetch(`${url}/employees`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: employee,
  })
}

/** A connection that has sent nothing, ended with the test. */
export async function open(scope: Scope, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  scope.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/**
 * Sends a request up to the last byte of its body; resolves when the service has begun with it.
 *
 * @returns the connection, and the byte that makes it whole
 */
export async function halfRequest(scope: Scope, url: string): Promise<[Socket, string]> {
  const socket = await open(scope, url)
  socket.write(
    'POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${ada.length}\r\nExpect: 100-continue\r\n\r\n${ada.slice(0, -1)}`,
  )
  // The service has begun with the request when it asks for the rest.
  await once(socket, 'data')
  return [socket, ada.slice(-1)]
}

/** Creates employees from 20 clients at once, each until it is refused. */
export function postUntilRefused(url: string) {
  const load = { created: 0, refusals: [] as string[], end: Promise.resolve() as Promise<unknown> }
  load.end = Promise.all(
    Array.from({ length: 20 }, async () => {
      for (;;) {
        try {
          const answer = await post(url)
          await answer.json()
          if (answer.status === 201) load.created++
          else return load.refusals.push(`${answer.status}`)
        } catch (error) {
          return load.refusals.push((error as { cause: { code: string } }).cause.code)
        }
      }
    }),
  )
  return load
}
