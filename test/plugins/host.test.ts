// no database: a Host is allowed or not before any route is found
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { build } from '../support/build.js'
import { buildWithRoutes } from '../support/every-route.js'
import { apiKeys, read } from '../support/keys.js'

const EVIL = 'evil.example:3000'
const EVERYWHERE = { 'x-content-type-options': 'nosniff', 'x-request-id': String }

t.test('without keys another Host is a 421 on every route, and where there is none', async (t) => {
  for (const config of [{}, { allowAnonymous: true }, { corsOrigins: ['https://a.example'] }]) {
    const { app, routes } = await buildWithRoutes(t, config)
    const others = ['/nothing', '*', '/%', `/employees/${'1'.repeat(5000)}`]
    for (const { method, url } of [...routes, ...others.map((url) => ({ method: 'GET', url }))]) {
      const headers = { host: EVIL, origin: 'https://a.example' }
      const request = { method: method as InjectOptions['method'] & {}, headers }
      const answer = await app.inject({ ...request, url: url.replace(':id', '1') })
      t.equal(answer.statusCode, 421, `${method} ${url}`)
      t.match(answer.headers, EVERYWHERE)
      t.notOk(answer.headers['access-control-allow-origin'])
      if (method === 'HEAD') continue
      t.match(answer.headers['content-type'], /^application\/problem\+json/)
      t.match(answer.json(), {
        status: 421,
        type: '/problems/misdirected-request',
        detail: /ALLOWED_HOSTS/,
      })
      t.notMatch(answer.body, /evil/)
    }
  }
})

const ENDS = 'Connection: close\r\n\r\n'
const requests: [what: string, request: string, status: number][] = [
  ['its own name', `GET /livez HTTP/1.1\r\nHost: localhost:3000\r\n${ENDS}`, 200],
  ['its address', `GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n${ENDS}`, 200],
  ['its IPv6 address', `GET /livez HTTP/1.1\r\nHost: [::1]:3000\r\n${ENDS}`, 200],
  ['another name', `GET /livez HTTP/1.1\r\nHost: ${EVIL}\r\n${ENDS}`, 421],
  ['no name', `GET /livez HTTP/1.1\r\nHost:\r\n${ENDS}`, 421],
  ['no Host in HTTP/1.0', 'GET /livez HTTP/1.0\r\n\r\n', 200],
  ['another name in HTTP/1.0', `GET /livez HTTP/1.0\r\nHost: ${EVIL}\r\n\r\n`, 421],
  [
    'its own name in the target',
    `GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n${ENDS}`,
    200,
  ],
  [
    'another in the target',
    `GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n${ENDS}`,
    421,
  ],
  ['another in the target alone', 'GET http://evil.example/livez HTTP/1.0\r\n\r\n', 421],
  [
    'a name behind a user',
    `GET http://localhost@evil.example/livez HTTP/1.1\r\nHost: localhost\r\n${ENDS}`,
    421,
  ],
  [
    'another name, forwarded',
    `GET /livez HTTP/1.1\r\nHost: ${EVIL}\r\nX-Forwarded-Host: localhost\r\n${ENDS}`,
    421,
  ],
  [
    'another name, and an expectation',
    `GET /livez HTTP/1.1\r\nHost: ${EVIL}\r\nExpect: x\r\n${ENDS}`,
    421,
  ],
  [
    'CORS',
    `OPTIONS /employees HTTP/1.1\r\nHost: ${EVIL}\r\nOrigin: http://${EVIL}\r\n${ENDS}`,
    421,
  ],
]

t.test('a page whose name was made to lead here gets nothing', async (t) => {
  const port = await listen(t, { trustProxy: true })
  for (const [what, request, status] of requests) {
    t.match(await exchange(port, request), new RegExp(`^HTTP/1.1 ${status} `), what)
  }
})

t.test('names of ALLOWED_HOSTS are allowed beside those of this machine', async (t) => {
  const app = await build(t, { allowedHosts: ['employees.example'] })
  for (const [host, status] of [
    ['employees.example:8443', 200],
    ['localhost', 200],
    ['evil.example', 421],
  ] as const) {
    t.equal((await app.inject({ url: '/employees', headers: { host } })).statusCode, status, host)
  }
})

t.test('with keys any Host will do, unless ALLOWED_HOSTS says which', async (t) => {
  const headers = { ...read, host: EVIL }
  const open = await build(t, { apiKeys })
  t.equal((await open.inject({ url: '/employees', headers })).statusCode, 200)
  const closed = await build(t, { apiKeys, allowedHosts: ['employees.example'] })
  t.equal((await closed.inject({ url: '/employees', headers })).statusCode, 421)
})

async function listen(t: Test, config: Partial<Config>): Promise<number> {
  const app = await build(t, config)
  await app.listen({ port: 0 })
  return (app.server.address() as AddressInfo).port
}

function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(request)
  return text(socket)
}
