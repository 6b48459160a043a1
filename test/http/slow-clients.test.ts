// slow: clients are waited for
// no database: what the parser of HTTP waits for
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { type App, build } from '../support/build.js'

t.test('a client has 10 s for its headers, 30 s for its request, and then a second', async (t) => {
  const { server } = await build(t)
  t.match(server, {
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    timeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 1000,
  })
})

t.test('headers that never end: 408, and the connection is closed', async (t) => {
  const socket = await impatient(t)
  socket.write('GET /employees HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  isTimeout(t, await text(socket))
})

t.test('a body that never ends: 408, and the connection is closed', async (t) => {
  const socket = await impatient(t)
  socket.write('POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n')
  socket.write('Content-Length: 100\r\n\r\n{"name":')
  isTimeout(t, await text(socket))
})

t.test('a body of more than 64 KiB: 413, whether it says so or not', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  const payload = JSON.stringify({ name: 'a'.repeat(64 * 1024) })
  const headers = { 'content-type': 'application/json' }
  const said = await app.inject({ method: 'POST', url: '/employees', headers, payload })
  t.equal(said.statusCode, 413)

  const socket = await connectTo(t, app)
  socket.write('POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n')
  socket.write('Transfer-Encoding: chunked\r\n\r\n')
  socket.write(`${payload.length.toString(16)}\r\n${payload}\r\n`)
  t.match(await text(socket), /^HTTP\/1\.1 413 /)
})

/** A connection to the service as it is, but for patience that a test can wait for. */
async function impatient(t: Test) {
  const app = await build(t)
  Object.assign(app.server, {
    headersTimeout: 200,
    requestTimeout: 200,
    connectionsCheckingInterval: 20,
  })
  await app.listen({ port: 0 })
  return connectTo(t, app)
}

async function connectTo(t: Test, app: App) {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

function isTimeout(t: Test, answer: string) {
  t.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  t.match(answer, /content-type: application\/problem\+json/i)
  t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), { status: 408 })
}
