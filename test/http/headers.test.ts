import t from 'tap'
import { build } from '../support/build.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('a sane x-request-id comes back with the answer', async (t) => {
  const app = await build(t)
  for (const id of ['1', 'a-b_c.d:e', '0af7651916cd43dd8448eb211c80319c', 'x'.repeat(128)]) {
    for (const url of ['/livez', '/employees/1', '/nowhere', '/employees?limit=0']) {
      const answer = await app.inject({ url, headers: { 'x-request-id': id } })
      t.equal(answer.headers['x-request-id'], id, `${url} ${id}`)
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
    t.match(answer.headers['x-request-id'], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+$/)
    ids.push(answer.headers['x-request-id'])
  }
  t.equal(new Set(ids).size, given.length)
})

t.test('a 2xx may be kept by its client alone, who must ask before each use', async (t) => {
  const app = await build(t)
  const requests = [
    { method: 'POST', url: '/employees', payload: ada, status: 201 },
    { method: 'GET', url: '/employees', status: 200 },
    { method: 'GET', url: '/employees?limit=1', status: 200 },
    { method: 'GET', url: '/employees/1', status: 200 },
    { method: 'HEAD', url: '/employees/1', status: 200 },
    { method: 'GET', url: '/employees/high-salary', status: 200 },
    { method: 'GET', url: '/employees/high-salary', status: 200 },
    { method: 'GET', url: '/employees/top2-by-department', status: 200 },
    { method: 'GET', url: '/employees/top2-by-department', status: 200 },
    { method: 'PUT', url: '/employees/1', payload: {}, status: 200 },
    { method: 'PATCH', url: '/employees/1', payload: {}, status: 200 },
    { method: 'DELETE', url: '/employees/1', status: 200 },
  ] as const
  for (const { status, ...request } of requests) {
    const answer = await app.inject(request)
    t.equal(answer.statusCode, status)
    const what = `${request.method} ${request.url}`
    t.equal(answer.headers['cache-control'], 'private, no-cache', what)
  }
})
