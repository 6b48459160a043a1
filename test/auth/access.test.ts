// no database: who has no key gets no further
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { newDatabase } from '../support/any-database.js'
import { type App, build } from '../support/build.js'
import { buildWithRoutes } from '../support/every-route.js'
import { apiKeys, entries, read, readKey, write } from '../support/keys.js'
import { Service } from '../support/service.js'
import { shownViews } from '../support/shown-views.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const unknown = { authorization: 'Bearer emp_unknown' }

t.test(
  'every method of every path needs a key, but for the probes, the contract and the pages',
  async (t) => {
    const { app, routes } = await buildWithRoutes(t, { apiKeys })
    t.ok(routes.some(({ url }) => url === '/employees/top2-by-department'))
    t.ok(routes.some(({ method }) => method === 'OPTIONS'))
    const open = new Set<string>()
    for (const route of routes) {
      // Each from an address of its own: too many refusals of one are a 429.
      const remoteAddress = `192.0.2.${routes.indexOf(route) % 250}`
      const { method, url } = route
      const { statusCode } = await ask(app, method, url.replace(':id', '1'), {}, remoteAddress)
      if (statusCode !== 401) open.add(url)
    }
    t.strictSame([...open].filter((url) => !/^\/(docs|page)\//.test(url)).sort(), [
      '/',
      '/docs',
      '/livez',
      '/openapi.json',
      '/problems/',
      '/problems/:kind',
      '/readyz',
    ])
  },
)

t.test('what has no route is as closed as what has one', async (t) => {
  const app = await build(t, { apiKeys })
  for (const url of [
    '//',
    '/nothing',
    '/page/',
    '/page/nothing',
    '/problems',
    '/problems/validation/',
    '/employees/1/salary',
    '//livez',
    '/livez/',
    '/docsx',
    '/openapi.json/',
  ]) {
    t.equal((await ask(app, 'GET', url)).statusCode, 401, url)
    t.equal((await ask(app, 'GET', url, read)).statusCode, 404, url)
  }
})

t.test('a cached view is not answered without a key, however it is asked for', async (t) => {
  for (const { path: url } of shownViews) {
    // Each has its own: so many refusals in a minute are refused in another way.
    const app = await build(t, { apiKeys })
    await ask(app, 'GET', url, read)
    const hit = await ask(app, 'GET', url, read)
    t.match(hit.headers['cache-status'], /hit/)
    const condition = { 'if-none-match': hit.headers.etag as string }
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND']) {
      for (const headers of [{}, condition, { ...unknown, ...condition }]) {
        const answer = await ask(app, method, url, headers)
        t.equal(answer.statusCode, 401)
        for (const name of ['etag', 'cache-status', 'allow']) t.notOk(answer.headers[name], name)
      }
    }
  }
})

t.test('without a key: a challenge, and a problem that says what to send', async (t) => {
  const app = await build(t, { apiKeys })
  for (const headers of [{}, { authorization: 'Basic YTpi' }]) {
    const answer = await ask(app, 'GET', '/employees', headers)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="employees"')
    isProblem(t, answer, 401, /Send a key/)
  }
})

t.test('with a wrong key: the challenge says so', async (t) => {
  const app = await build(t, { apiKeys })
  for (const authorization of [
    unknown.authorization,
    'Bearer',
    'Bearer a b',
    `bearer ${entries}`,
  ]) {
    const answer = await ask(app, 'GET', '/employees', { authorization })
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="employees", error="invalid_token"')
    isProblem(t, answer, 401, /not known/)
  }
})

t.test('a read key reads and does not write; a write key does both', async (t) => {
  const app = await build(t, { apiKeys })
  const post = (headers: object) =>
    app.inject({ method: 'POST', url: '/employees', headers: { ...headers }, payload: ada })
  const refused = await post(read)
  isProblem(t, refused, 403, /may read, and not write/)
  t.equal(
    refused.headers['www-authenticate'],
    'Bearer realm="employees", error="insufficient_scope", scope="write"',
  )
  t.strictSame((await ask(app, 'GET', '/employees', read)).json(), [])

  t.equal((await post(write)).statusCode, 201)
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    t.equal((await ask(app, method, '/employees/1', read)).statusCode, 403)
  }
  t.equal((await ask(app, 'GET', '/employees/1', read)).statusCode, 200)
  t.equal((await ask(app, 'HEAD', '/employees/1', read)).statusCode, 200)
  t.equal((await ask(app, 'OPTIONS', '/employees/1', read)).statusCode, 204)
  t.equal((await ask(app, 'GET', '/metrics', read)).statusCode, 200)
  t.equal((await ask(app, 'GET', '/employees/1', write)).statusCode, 200)
  t.equal((await ask(app, 'DELETE', '/employees/1', write)).statusCode, 200)
})

t.test('without keys everybody may do everything', async (t) => {
  const app = await build(t)
  for (const headers of [{}, unknown]) {
    const answer = await app.inject({ method: 'POST', url: '/employees', headers, payload: ada })
    t.equal(answer.statusCode, 201)
  }
})

t.test('the contract says whether a key is needed', async (t) => {
  const contract = async (app: App) => (await ask(app, 'GET', '/openapi.json')).json()
  const closed = await contract(await build(t, { apiKeys }))
  t.strictSame(closed.security, [{ bearer: [] }])
  t.match(closed.components.securitySchemes.bearer, { type: 'http', scheme: 'bearer' })
  t.strictSame(closed.paths['/livez'].get.security, [])
  t.strictSame((await contract(await build(t))).security, [{ bearer: [] }, {}])
})

t.test('the log names the key, and shows neither it nor the header', async (t) => {
  const databaseUrl = await newDatabase(t)
  const env = { API_KEYS: entries, LOG_LEVEL: 'trace', DATABASE_URL: databaseUrl }
  const server = await Service.start(t, env)
  const output = text(server.process.stdout as Readable)
  const secret = 'emp_nobody-has-this'
  for (const headers of [read, { authorization: `Bearer ${secret}` }, { authorization: secret }]) {
    await fetch(`${server.url}/employees`, { headers })
    await fetch(`${server.url}/nothing`, { method: 'POST', headers, body: '{' })
  }
  t.equal(await server.stop(), 0)
  const log = await output
  const lines = log.trim().split('\n')
  const told = lines.map((line) => JSON.parse(line))
  t.strictSame(
    told
      .filter(({ message }) => message === 'request')
      .map((line) => [line['http.response.status_code'], line['user.name']]),
    [[200, 'reader']],
  )
  t.strictSame(
    told
      .filter(({ message }) => message === 'refused')
      .map((line) => [line['error.code'], line['user.name']]),
    [['403', 'reader'], ...Array(4).fill(['401', undefined])],
  )
  for (const shown of [readKey, secret, 'authorization', 'Bearer']) {
    t.notOk(log.toLowerCase().includes(shown.toLowerCase()))
  }
})

function ask(
  app: App,
  method: string,
  url: string,
  headers: Record<string, string> = {},
  remoteAddress = '127.0.0.1',
) {
  return app.inject({ method: method as InjectOptions['method'] & {}, url, headers, remoteAddress })
}

function isProblem(
  t: Test,
  answer: Awaited<ReturnType<typeof ask>>,
  status: number,
  detail: RegExp,
) {
  t.equal(answer.statusCode, status)
  t.match(answer.headers['content-type'], /^application\/problem\+json/)
  t.match(answer.json(), { type: /^\/problems\/key-/, status, detail, instance: /^\// })
}
