// slow: it asks for every method of every path
import { once } from 'node:events'
import { type IncomingMessage, METHODS, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { type App, build } from '../support/build.js'
import { servedRoutes } from '../support/served-routes.js'
import { shownViews } from '../support/shown-views.js'

const READ_ONLY = ['/livez', '/readyz', '/metrics', '/status', '/openapi.json', '/', '/docs']
const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

/** What Allow says of each path: the methods of its routes, and OPTIONS. */
const paths = new Map<string, string>()
const routes = await servedRoutes()
for (const { path } of routes) {
  const methods = new Set(['OPTIONS'])
  for (const route of routes) if (route.path === path) methods.add(route.method)
  // Fastify does not tell every GET of a path that ends with a slash, but does tell its HEAD.
  if (methods.has('HEAD')) methods.add('GET')
  paths.set(path, [...methods].sort().join(', '))
}

t.test('the paths are all there, and the methods of each', async (t) => {
  t.equal(paths.get('/employees'), 'GET, HEAD, OPTIONS, POST')
  t.equal(paths.get('/employees/1'), 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT')
  for (const path of [...shownViews.map(({ path }) => path), ...READ_ONLY]) {
    t.equal(paths.get(path), 'GET, HEAD, OPTIONS', path)
  }
})

t.test('every method that a path does not have is a 405 with Allow', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada])
  await app.listen({ port: 0 })
  for (const [path, allow] of paths) {
    t.test(path, async (t) => {
      // CONNECT asks for a tunnel, not for a path.
      const others = METHODS.filter((method) => method !== 'CONNECT' && !has(allow, method))
      for (const method of others) {
        const { status, headers, body } = await send(app, method, path)
        t.match(
          { status, ...headers },
          { status: 405, allow, 'content-type': /^application\/problem\+json/ },
          method,
        )
        t.match(JSON.parse(body), { status: 405, detail: new RegExp(method), instance: path })
      }
      t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
    })
  }
})

t.test('OPTIONS of any path is a 204 with Allow', async (t) => {
  const app = await build(t)
  for (const [path, allow] of paths) {
    const answer = await app.inject({ method: 'OPTIONS', url: path })
    t.equal(answer.statusCode, 204, path)
    t.equal(answer.headers.allow, allow, path)
    t.equal(answer.body, '', path)
  }
})

t.test('HEAD of any path has the headers of GET, and no body', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada])
  for (const path of paths.keys()) {
    await app.inject(path) // Whatever is cached is cached now.
    const head = await app.inject({ method: 'HEAD', url: path })
    const get = await app.inject(path)
    t.ok(get.statusCode < 400, path)
    t.equal(head.statusCode, get.statusCode, path)
    t.equal(head.body, '', path)
    t.strictSame(comparable(head.headers), comparable(get.headers), path)
  }
})

t.test('a method that a path does not have is a 405, whatever its body is', async (t) => {
  const app = await build(t)
  const bodies = [
    { payload: '{', headers: { 'content-type': 'application/json' } },
    { payload: 'text', headers: { 'content-type': 'text/plain' } },
    { payload: 'no type' },
    { payload: ' '.repeat(70_000), headers: { 'content-type': 'application/json' } },
  ]
  for (const body of bodies) {
    const answer = await app.inject({ method: 'POST', url: '/employees/1', ...body })
    t.equal(answer.statusCode, 405, body.payload.slice(0, 10))
    t.equal(answer.headers.allow, paths.get('/employees/1'))
  }
})

t.test('OPTIONS * asks about the server, and is a 204', async (t) => {
  const app = await build(t)
  await app.listen({ port: 0 })
  t.equal((await send(app, 'OPTIONS', '*')).status, 204)
})

t.test('HEAD and OPTIONS of a path that does not exist are a 404', async (t) => {
  const app = await build(t)
  for (const method of ['HEAD', 'OPTIONS', 'PROPFIND'] as const) {
    for (const url of ['/nowhere', '/employees/1/salary']) {
      t.equal((await app.inject({ method: method as 'HEAD', url })).statusCode, 404)
    }
  }
})

t.test('HEAD of an error has the headers of GET', async (t) => {
  const app = await build(t)
  for (const url of ['/employees/1', '/employees/0', '/employees?limit=0', '/nowhere']) {
    const head = await app.inject({ method: 'HEAD', url })
    const get = await app.inject(url)
    t.equal(head.statusCode, get.statusCode)
    t.strictSame(comparable(head.headers), comparable(get.headers))
  }
})

t.test('HEAD has the links and the length of a page', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada, ada])
  const url = '/employees?limit=1'
  const head = await app.inject({ method: 'HEAD', url })
  const get = await app.inject(url)
  t.ok(head.headers.link)
  t.strictSame(comparable(head.headers), comparable(get.headers))
})

/** What differs between any two answers is left out, and what frames a body that is not there. */
function comparable(headers: Record<string, unknown>) {
  const { date, 'x-request-id': id, 'transfer-encoding': encoding, ...rest } = headers
  if (`${rest['content-type']}`.includes('version=0.0.4')) delete rest['content-length'] // /metrics
  return rest
}

function has(allow: string, method: string): boolean {
  return allow.split(', ').includes(method)
}

/** Sends what app.inject would not: any method, over a socket. */
async function send(app: App, method: string, path: string) {
  const { port, address: host } = app.addresses()[0] as AddressInfo
  const call = request({ host, port, method, path, agent: false }).end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}
