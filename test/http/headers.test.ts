import t from 'tap'
import { build } from '../support/build.js'
import { servedRoutes } from '../support/served-routes.js'
import { shownViews } from '../support/shown-views.js'

const RANDOM = /^[0-9a-f]{32}$/
const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const routes = await servedRoutes()
const NOWHERE = { method: 'GET', path: '/nowhere' }
const WRONG = { method: 'GET', path: '/employees?limit=0' }

t.test('a sane x-request-id comes back with the answer', async (t) => {
  const app = await build(t)
  for (const id of ['1', 'a-b_c.d:e', '0af7651916cd43dd8448eb211c80319c', 'x'.repeat(128)]) {
    for (const { method, path: url } of [...routes, NOWHERE, WRONG]) {
      const headers = { 'x-request-id': id }
      const answer = await app.inject({ method: method as 'GET', url, headers })
      t.equal(answer.headers['x-request-id'], id, `${method} ${url} ${id}`)
    }
  }
})

t.test('any other x-request-id is replaced by a new one', async (t) => {
  const app = await build(t)
  const given = ['', 'a b', 'a,b', '{"a":1}', 'x'.repeat(129), 'é', undefined]
  const ids = []
  for (const id of given) {
    const headers = id === undefined ? {} : { 'x-request-id': id }
    const answer = await app.inject({ url: '/livez', headers })
    t.match(answer.headers['x-request-id'], RANDOM)
    ids.push(answer.headers['x-request-id'])
  }
  t.equal(new Set(ids).size, given.length)
  t.equal(new Set(ids.map((id) => `${id}`.slice(0, 23))).size, given.length, 'no count in sight')
})

t.test('a 2xx may be kept by its client alone, who must ask before each use', async (t) => {
  const app = await build(t)
  const published = routes.filter(({ isPublished }) => isPublished)
  const requests: { method: string; path: string; payload?: object }[] = [
    { method: 'POST', path: '/employees', payload: ada },
    { method: 'GET', path: '/employees?limit=1' },
    ...published.filter(({ method }) => method === 'GET' || method === 'HEAD'),
    ...shownViews.map(({ path }) => ({ method: 'GET', path })), // From cache now.
    { method: 'PUT', path: '/employees/1', payload: {} },
    { method: 'PATCH', path: '/employees/1', payload: {} },
    { method: 'DELETE', path: '/employees/1' },
  ]
  for (const { method, path: url, payload } of requests) {
    const what = `${method} ${url}`
    const answer = await app.inject({ method: method as 'GET', url, ...(payload && { payload }) })
    t.equal(answer.statusCode, method === 'POST' ? 201 : 200, what)
    t.equal(answer.headers['cache-control'], 'private, no-cache', what)
  }
  const asked = requests.map(({ method, path }) => `${method} ${path}`)
  for (const { method, path } of published) {
    t.ok(asked.includes(`${method} ${path}`), `${method} ${path} is among them`)
  }
})
