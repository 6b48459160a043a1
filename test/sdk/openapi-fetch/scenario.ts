import assert from 'node:assert/strict'
import createClient, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch'
import { published } from '../operations.js'
import { nextPage } from '../paging.js'
import type { Typed } from '../typed.js'
import type { components, operations, paths } from './client/schema.js'

type Employee = components['schemas']['Employee']
/** As `client` below has them: of any media type. */
type Answer<Operation extends keyof operations> = FetchResponse<
  operations[Operation],
  MaybeOptionalInit<object, never>,
  `${string}/${string}`
>
type Answers = { [Name in keyof operations]: Required<Answer<Name>> }
const typed: { [Name in keyof Answers]: Typed<Pick<Answers[Name], 'data' | 'error'>> } = published
/** Nor was an operation left out. */
const complete: { [Name in keyof typeof published]: true } = typed
assert.ok(complete)

const { SERVICE_URL = '' } = process.env
const client = createClient<paths>({ baseUrl: SERVICE_URL })
const path = { id: 0 }

const ada = { name: 'Ada Lovelace', salary: 180000, department: 'Engineering' }
for (const name of [ada.name, 'Grace Hopper', 'Tom Jones']) {
  const { data } = await client.POST('/employees', { body: { ...ada, name } })
  assert.ok(data && 'id' in data)
  path.id ||= data.id
}

const everyone: Employee[] = []
let after: number | undefined
do {
  const { data, response } = await client.GET('/employees', {
    params: { query: after === undefined ? { limit: 2 } : { limit: 2, after } },
  })
  assert.ok(data)
  everyone.push(...data)
  after = nextPage(response.headers)
} while (after !== undefined)
assert.deepEqual(
  everyone.map(({ name }) => name),
  ['Ada Lovelace', 'Grace Hopper', 'Tom Jones'],
)

const read = await client.GET('/employees/{id}', { params: { path } })
assert.deepEqual(read.data, { ...ada, id: path.id })
const stale = read.response.headers.get('etag') ?? ''
await client.PATCH('/employees/{id}', { params: { path }, body: { salary: 190000 } })

const lost = await client.PUT('/employees/{id}', {
  params: { path, header: { 'If-Match': stale } },
  body: { salary: 200000 },
})
assert.equal(lost.response.status, 412)
assert.equal(lost.error?.type, '/problems/precondition-failed')
const fresh = (await client.GET('/employees/{id}', { params: { path } })).response.headers
const won = await client.PUT('/employees/{id}', {
  params: { path, header: { 'If-Match': fresh.get('etag') ?? '' } },
  body: { salary: 200000 },
})
assert.equal(won.data?.salary, 200000)

for (const view of ['/employees/high-salary', '/employees/top2-by-department'] as const) {
  const { data, response } = await client.GET(view)
  assert.equal(data?.[0]?.name, 'Ada Lovelace')
  const header = { 'If-None-Match': response.headers.get('etag') ?? '' }
  const again = await client.GET(view, { params: { header } })
  assert.equal(again.response.status, 304)
}

const richest = await client.GET('/employees', {
  params: {
    query: { department: ['Engineering'], salary_min: 100000, sort: '-salary', limit: 2 },
    header: { Prefer: 'count=exact' },
  },
})
assert.equal(richest.data?.[0]?.name, 'Ada Lovelace')
assert.equal(richest.response.headers.get('x-total-count'), '3')
const unserved = await client.GET('/employees', {
  params: { query: { q: 'A', sort: 'salary', limit: 2 } },
})
assert.ok(unserved.error?.type === '/problems/validation')
assert.equal(unserved.error.errors[0]?.code, 'not_served')

const several = await client.POST('/employees', {
  params: { header: { 'Idempotency-Key': 'several' } },
  body: [
    { ...ada, name: 'Joan' },
    { ...ada, name: 'Mary' },
  ],
})
assert.ok(Array.isArray(several.data))
assert.deepEqual(
  several.data.map(({ name }) => name),
  ['Joan', 'Mary'],
)
const oneOfThem = await client.POST('/employees', { body: [ada, { ...ada, salary: -1 }] })
assert.ok(oneOfThem.error?.type === '/problems/validation')
assert.equal(oneOfThem.error.errors[0]?.path, '/body/1/salary')

const wrong = await client.POST('/employees', { body: { ...ada, salary: -1 } })
assert.equal(wrong.response.status, 400)
const { error: failure } = wrong
assert.ok(failure)
switch (failure.type) {
  case '/problems/validation': {
    const [field] = failure.errors
    switch (field?.code) {
      case 'too_small':
        assert.equal(field.path, '/body/salary')
        break
      // @ts-expect-error No field has this code.
      case 'cursed':
        throw new Error('no such code')
      default:
        assert.fail(field?.message)
    }
    break
  }
  // @ts-expect-error There is no such kind of problem.
  case '/problems/cursed':
    throw new Error('no such kind')
  default:
    assert.fail(failure.detail)
}

const gone = await client.DELETE('/employees/{id}', { params: { path } })
assert.equal(gone.data?.message, 'Deleted')
assert.equal((await client.GET('/employees/{id}', { params: { path } })).error?.status, 404)
