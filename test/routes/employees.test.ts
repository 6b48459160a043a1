import t from 'tap'
import { views } from '../../drizzle/registry.js'
import { newDatabase } from '../support/any-database.js'
import { build } from '../support/build.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('a POST answers 201 with the employee, where it is, and its entity tag', async (t) => {
  const app = await build(t)
  const created = await app.inject({ method: 'POST', url: '/employees', payload: ada })
  t.equal(created.statusCode, 201)
  t.strictSame(created.json(), { id: 1, ...ada })
  t.equal(created.headers.location, '/employees/1')

  const read = await app.inject('/employees/1')
  t.equal(read.statusCode, 200)
  t.equal(read.body, created.body)
  t.equal(read.headers.etag, created.headers.etag)
})

t.test('text is read back as it was written: nothing is trimmed or normalized', async (t) => {
  const app = await build(t)
  const texts = [
    '  spaces around  ',
    'Zoë', // composed
    'Zoe\u0308', // the same to the eye
    '👩‍👩‍👧‍👦 family',
    '\u200Fright to left\u00A0\uFEFF',
    'quotes " \\ / \' <b>&amp;</b>',
    "Robert'); DROP TABLE employees;--",
    '𝒜'.repeat(100),
    'null',
    '0',
  ]
  for (const text of texts) {
    const payload = { name: text, salary: 1, department: text }
    const created = await app.inject({ method: 'POST', url: '/employees', payload })
    t.equal(created.statusCode, 201, text)
    const read = await app.inject(created.headers.location as string)
    t.match(read.json(), { name: text, department: text }, text)
  }
})

t.test('a salary is read back to the last bit', async (t) => {
  const app = await build(t)
  const texts = [
    '0',
    '0.30000000000000004', // 0.1 + 0.2
    '123456789.123456789',
    '5e-324',
    '2.2250738585072014e-308',
    '999999999999.9999',
    '1e12',
    '1E+3',
    '100000.00000000001',
  ]
  for (const text of texts) {
    const payload = `{"name":"Ada","salary":${text},"department":"Engineering"}`
    const headers = { 'content-type': 'application/json' }
    const created = await app.inject({ method: 'POST', url: '/employees', payload, headers })
    t.equal(created.json().salary, Number(text), `${text} in the answer`)
    const read = await app.inject(created.headers.location as string)
    t.equal(read.json().salary, Number(text), `${text} read back`)
  }
})

for (const method of ['PUT', 'PATCH'] as const) {
  t.test(`a ${method} that names one field keeps the others`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const changes = [{ name: 'Grace' }, { salary: 0.1 }, { department: 'Navy' }]
    let expected = { id: 1, ...ada }
    for (const payload of changes) {
      expected = { ...expected, ...payload }
      const changed = await app.inject({ method, url: '/employees/1', payload })
      t.equal(changed.statusCode, 200)
      t.strictSame(changed.json(), expected)
      const read = await app.inject('/employees/1')
      t.strictSame(read.json(), expected)
      t.equal(read.headers.etag, changed.headers.etag)
    }
  })

  t.test(`a ${method} changes nobody else`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada, ada])
    await app.inject({ method, url: '/employees/1', payload: { name: 'Grace' } })
    t.strictSame((await app.inject('/employees/2')).json(), { id: 2, ...ada })
  })

  for (const payload of [{}, ada]) {
    const what = payload === ada ? 'the values that are there' : 'nothing'
    t.test(`a ${method} of ${what} is no change, and no view loses its version`, async (t) => {
      const app = await build(t)
      await app.employees.createMany([ada])
      const before = await app.inject('/employees/1')
      const versions = await Promise.all(views.map((view) => app.views.version(view)))

      const answer = await app.inject({ method, url: '/employees/1', payload })
      t.equal(answer.statusCode, 200)
      t.equal(answer.body, before.body)
      t.equal(answer.headers.etag, before.headers.etag)
      const after = await Promise.all(views.map((view) => app.views.version(view)))
      t.strictSame(after, versions)
    })
  }
}

t.test('a PATCH takes a JSON Merge Patch, under its own media type too', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada])
  for (const type of ['application/merge-patch+json', 'application/json']) {
    const payload = JSON.stringify({ name: type })
    const request = { url: '/employees/1', payload, headers: { 'content-type': type } }
    const answer = await app.inject({ method: 'PATCH', ...request })
    t.strictSame(answer.json(), { id: 1, ...ada, name: type })
  }
})

t.test('a merge patch cannot remove a field: null is an error', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada])
  const answer = await app.inject({
    method: 'PATCH',
    url: '/employees/1',
    headers: { 'content-type': 'application/merge-patch+json' },
    payload: '{"name":null}',
  })
  t.match(answer.json(), { status: 400, errors: [{ path: '/body/name' }] })
  t.strictSame((await app.inject('/employees/1')).json(), { id: 1, ...ada })
})

t.test('a DELETE answers {"message":"Deleted"} once, then there is nobody', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada, ada])
  const deleted = await app.inject({ method: 'DELETE', url: '/employees/1' })
  t.equal(deleted.statusCode, 200)
  t.equal(deleted.body, '{"message":"Deleted"}')

  const requests = [
    { method: 'GET', url: '/employees/1' },
    { method: 'HEAD', url: '/employees/1' },
    { method: 'PUT', url: '/employees/1', payload: { name: 'Grace' } },
    { method: 'PATCH', url: '/employees/1', payload: {} },
    { method: 'DELETE', url: '/employees/1' },
  ] as const
  for (const request of requests) {
    t.equal((await app.inject(request)).statusCode, 404, request.method)
  }
  t.strictSame((await app.inject('/employees')).json(), [{ id: 2, ...ada }], 'the other stays')
})

t.test('an id is never given twice, not even after a restart', async (t) => {
  const databaseUrl = await newDatabase(t)
  const app = await build(t, { databaseUrl })
  await app.employees.createMany([ada, ada, ada])
  for (const id of [1, 2, 3]) await app.inject({ method: 'DELETE', url: `/employees/${id}` })
  const next = await app.inject({ method: 'POST', url: '/employees', payload: ada })
  t.equal(next.json().id, 4)
  await app.inject({ method: 'DELETE', url: '/employees/4' })
  await app.close()

  const restarted = await build(t, { databaseUrl })
  const last = await restarted.inject({ method: 'POST', url: '/employees', payload: ada })
  t.equal(last.json().id, 5)
})

t.test('an id is an integer from 1 to 2^53-1', async (t) => {
  const app = await build(t)
  const wrong = [
    '0',
    '-1',
    '1.5',
    'abc',
    'null',
    '%00',
    '1,2',
    '9007199254740992',
    '1e999',
    '9'.repeat(999),
  ]
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
    const body = method === 'PUT' || method === 'PATCH' ? { payload: {} } : {}
    for (const id of wrong) {
      const answer = await app.inject({ method, url: `/employees/${id}`, ...body })
      const expected = { status: 400, errors: [{ path: '/params/id', message: / got / }] }
      t.match(answer.json(), expected, `${method} ${id.slice(0, 20)}`)
    }
    const last = await app.inject({ method, url: '/employees/9007199254740991', ...body })
    t.equal(last.statusCode, 404, `${method} 2^53-1`)
  }
})
