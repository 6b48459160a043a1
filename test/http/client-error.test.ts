// no database: what the parser of HTTP refuses
import { once } from 'node:events'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { SECURITY_HEADERS } from '../../src/http/security-headers.js'
import { type App, build } from '../support/build.js'

const HOST = 'Host: localhost\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'

/** What is not HTTP as this service takes it: the request, and the status of its answer. */
const broken: Record<string, [request: string, status: number]> = {
  'a line that is no request': ['hello\r\n\r\n', 400],
  'a TLS handshake': ['\x16\x03\x01\x02\x00\x01\x00', 400],
  'a method that does not exist': [`BREW /livez HTTP/1.1\r\n${HOST}\r\n`, 400],
  'a space in the path': [`GET /employees/1 2 HTTP/1.1\r\n${HOST}\r\n`, 400],
  'a byte beyond ASCII in the path': [`GET /employees/\xe9 HTTP/1.1\r\n${HOST}\r\n`, 400],
  'another protocol': [`GET /livez SPDY/3\r\n${HOST}\r\n`, 400],
  'HTTP/2 without negotiation': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'a space in the name of a header': [`GET /livez HTTP/1.1\r\n${HOST}Bad Name: 1\r\n\r\n`, 400],
  'a control character in a header': [`GET /livez HTTP/1.1\r\n${HOST}X: \x01\r\n\r\n`, 400],
  'headers of 20 KiB': [`GET /livez HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_480)}\r\n\r\n`, 431],
  'two lengths': [post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), 400],
  'a length and chunks': [
    post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n'),
    400,
  ],
  'a length that is no number': [post('Content-Length: two\r\n', '{}'), 400],
  'a chunk of no size': [post(`${JSON_TYPE}Transfer-Encoding: chunked\r\n`, 'many\r\n'), 400],
  'a transfer coding that ends not in chunks': [
    post(`${JSON_TYPE}Transfer-Encoding: gzip\r\n`, '{}'),
    400,
  ],
}

t.test('what is not HTTP is a problem and the end of the connection', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  for (const [what, [request, status]] of Object.entries(broken)) {
    t.test(`${what} is a ${status}`, async (t) => {
      const client = connectTo(app)
      client.write(request, 'latin1')
      const answer = parse(await text(client))
      t.equal(answer.status, status)
      t.match(answer.problem, { type: /^\/problems\/./, title: String, status, detail: /.../ })
      t.type(answer.problem.instance, 'string')
      t.match(answer.headers, SECURITY_HEADERS)
      t.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/)
      if (status === 400) t.match(answer.problem.errors, [{ path: '', message: /.../ }])

      const list = await app.inject('/employees')
      t.equal(list.body, '[]', 'the service goes on, and nobody was created')
    })
  }
})

t.test(
  'a request that was answered gets no second answer when the rest of it is not HTTP',
  async (t) => {
    const app = await build(t)
    await app.listen({ port: 0 })
    const client = connectTo(app)
    client.write(post('Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n', 'many\r\n'))
    const received = await text(client)
    t.match(received, /^HTTP\/1\.1 415 /)
    t.equal(received.split('HTTP/1.1 ').length, 2, 'one answer, and the end of the connection')
  },
)

t.test('what Node would refuse by itself is a problem too', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  const { port, address: host } = app.addresses()[0] as AddressInfo
  const refused: [what: string, options: RequestOptions, status: number][] = [
    ['no Host', { setHost: false }, 400],
    ['an expectation that nobody meets', { headers: { expect: 'the-unexpected' } }, 417],
  ]
  for (const [what, options, status] of refused) {
    const call = request({ host, port, path: '/livez?x=1', agent: false, ...options }).end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    t.equal(response.statusCode, status, what)
    t.match(response.headers, {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'x-request-id': /^[0-9a-f]{32}$/,
      ...SECURITY_HEADERS,
    })
    const problem = JSON.parse(await text(response))
    t.match(problem, { type: /^\/problems\/./, title: String, status, instance: '/livez' })
    if (status === 400) t.match(problem.errors, [{ path: '', message: /Host/ }])
  }
})

t.test('Expect: 100-continue is met', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  const client = connectTo(app)
  const body = '{"name":"Ada","salary":1,"department":"Engineering"}'
  const length = `Content-Length: ${body.length}\r\nConnection: close\r\n`
  client.write(post(`Content-Type: application/json\r\nExpect: 100-continue\r\n${length}`, ''))
  t.match(`${(await once(client, 'data'))[0]}`, /^HTTP\/1\.1 100 Continue/)
  client.write(body)
  t.match(await text(client), /^HTTP\/1\.1 201 Created/)
})

t.test('a request that took too long to arrive is a 408 problem', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  const client = connectTo(app)
  const [socket] = (await once(app.server, 'connection')) as [Socket]
  app.server.emit('clientError', clientError('ERR_HTTP_REQUEST_TIMEOUT'), socket)
  t.match(parse(await text(client)), { status: 408, problem: { status: 408 } })
})

t.test('a client that reset its connection is told nothing', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  const client = connectTo(app)
  const [socket] = (await once(app.server, 'connection')) as [Socket]
  app.server.emit('clientError', clientError('ECONNRESET'), socket)
  t.equal(await text(client), '')
})

function post(headers: string, body: string): string {
  return `POST /employees HTTP/1.1\r\n${HOST}${headers}\r\n${body}`
}

function clientError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function connectTo(app: App): Socket {
  const { port, address } = app.addresses()[0] as AddressInfo
  return connect(port, address)
}

/** Reads an answer and checks that it is a problem, whole, and the last of its connection. */
function parse(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/, 2) as [string, string]))
  const isProblem =
    headers.get('content-type') === 'application/problem+json; charset=utf-8' &&
    headers.get('content-length') === `${Buffer.byteLength(body)}` &&
    headers.get('connection') === 'close'
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    problem: isProblem ? JSON.parse(body) : {},
  }
}
