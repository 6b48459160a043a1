// no database: who may ask is found out before any route is
import t from 'tap'
import { build } from '../support/build.js'
import { apiKeys, read } from '../support/keys.js'
import { servedRoutes } from '../support/served-routes.js'

const origin = 'https://app.example.com'
const corsOrigins = [origin, 'http://localhost:8080']
const routes = await servedRoutes()
const preflight = { origin, 'access-control-request-method': 'PUT' }

t.test('unless origins are configured no page may ask', async (t) => {
  const app = await build(t)
  for (const { method, path: url } of routes) {
    const answer = await app.inject({ method: method as 'GET', url, headers: { origin } })
    t.notOk(answer.headers['access-control-allow-origin'], `${method} ${url}`)
  }
  const asked = await app.inject({ method: 'OPTIONS', url: '/employees', headers: preflight })
  t.notOk(asked.headers['access-control-allow-methods'])
})

t.test('a page of a configured origin may ask, and sees the headers that matter', async (t) => {
  const app = await build(t, { corsOrigins })
  const { headers } = await app.inject({ url: '/employees', headers: { origin } })
  t.equal(headers['access-control-allow-origin'], origin)
  t.match(headers.vary, /^Origin\b/)
  t.notOk(headers['access-control-allow-credentials'])
  const exposed = `${headers['access-control-expose-headers']}`.split(', ')
  for (const name of ['ETag', 'Link', 'Location', 'Cache-Status', 'Retry-After', 'X-Request-Id']) {
    t.ok(exposed.includes(name), name)
  }
  for (const { method, path: url } of routes) {
    const answer = await app.inject({ method: method as 'GET', url, headers: { origin } })
    t.equal(answer.headers['access-control-allow-origin'], origin, `${method} ${url}`)
    t.equal(answer.headers['access-control-expose-headers'], exposed.join(', '))
  }
})

t.test('its preflight is answered without a key, for any path', async (t) => {
  const app = await build(t, { corsOrigins, apiKeys })
  for (const url of new Set([...routes.map(({ path }) => path), '/nothing'])) {
    const answer = await app.inject({ method: 'OPTIONS', url, headers: preflight })
    t.equal(answer.statusCode, 204, url)
    t.equal(answer.headers['access-control-allow-origin'], origin, url)
    t.match(answer.headers['access-control-allow-methods'], 'PUT')
    t.match(
      answer.headers['access-control-allow-headers'],
      /Authorization.*Idempotency-Key.*If-Match/,
    )
    t.notOk(answer.headers.allow)
  }
})

t.test('the page can read errors: that it needs a key, and that there is nothing', async (t) => {
  const app = await build(t, { corsOrigins, apiKeys })
  const unknown = await app.inject({ url: '/employees', headers: { origin } })
  t.equal(unknown.statusCode, 401)
  t.equal(unknown.headers['access-control-allow-origin'], origin)
  const nothing = await app.inject({ url: '/nothing', headers: { ...read, origin } })
  t.equal(nothing.statusCode, 404)
  t.equal(nothing.headers['access-control-allow-origin'], origin)
})

t.test('pages of other origins may not', async (t) => {
  const app = await build(t, { corsOrigins })
  for (const other of [
    'https://evil.example',
    'null',
    `${origin}.evil.example`,
    `${origin}:8443`,
  ]) {
    const headers = { origin: other }
    const answer = await app.inject({ url: '/employees', headers })
    t.notOk(answer.headers['access-control-allow-origin'], other)
    t.match(answer.headers.vary, /^Origin\b/, 'no cache may mix them up')
    const method = 'OPTIONS'
    const asked = await app.inject({
      method,
      url: '/employees',
      headers: { ...preflight, ...headers },
    })
    t.notOk(asked.headers['access-control-allow-origin'], other)
  }
})

t.test('OPTIONS that is no preflight, 404 and 405 are as without CORS', async (t) => {
  const app = await build(t, { corsOrigins })
  for (const headers of [{}, { origin }]) {
    const options = await app.inject({ method: 'OPTIONS', url: '/employees', headers })
    t.equal(options.statusCode, 204)
    t.equal(options.headers.allow, 'GET, HEAD, OPTIONS, POST')
    for (const method of ['GET', 'OPTIONS', 'DELETE'] as const) {
      const nothing = await app.inject({ method, url: '/nothing', headers })
      t.equal(nothing.statusCode, 404)
      t.match(nothing.headers['content-type'], /problem/)
    }
    const wrong = await app.inject({ method: 'DELETE', url: '/employees', headers })
    t.equal(wrong.statusCode, 405)
  }
})
