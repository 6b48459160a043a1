import assert from 'node:assert/strict'
import { published } from '../operations.js'
import { nextPage } from '../paging.js'
import type { Typed } from '../typed.js'
import { client } from './client/client.gen.js'
import * as sdk from './client/index.js'

type Operations = Pick<typeof sdk, keyof typeof sdk>
interface Parts<Answer> {
  data: Answer extends { data: infer Data } ? Data : never
  error: Answer extends { error: infer Failure } ? Failure : never
}
const typed: {
  [Name in keyof Operations]: Typed<Parts<Awaited<ReturnType<Operations[Name]>>>>
} = published
/** Nor was an operation left out. */
const complete: { [Name in keyof typeof published]: true } = typed
assert.ok(complete)

const { SERVICE_URL = '' } = process.env
client.setConfig({ baseUrl: SERVICE_URL })
const path = { id: 0 }

const ada = { name: 'Ada Lovelace', salary: 180000, department: 'Engineering' }
for (const name of [ada.name, 'Grace Hopper', 'Tom Jones']) {
  const { data } = await sdk.createEmployee({ body: { ...ada, name } })
  assert.ok(data && 'id' in data)
  path.id ||= data.id
}

const everyone: sdk.Employee[] = []
let after: number | undefined
do {
  const query = after === undefined ? { limit: 2 } : { limit: 2, after }
  const { data, response } = await sdk.listEmployees({ query })
  assert.ok(data && response)
  everyone.push(...data)
  after = nextPage(response.headers)
} while (after !== undefined)
assert.deepEqual(
  everyone.map(({ name }) => name),
  ['Ada Lovelace', 'Grace Hopper', 'Tom Jones'],
)

const read = await sdk.getEmployee({ path })
assert.deepEqual(read.data, { ...ada, id: path.id })
const stale = read.response?.headers.get('etag') ?? ''
await sdk.patchEmployee({ path, body: { salary: 190000 } })

const body = { salary: 200000 }
const lost = await sdk.updateEmployee({ path, headers: { 'If-Match': stale }, body })
assert.equal(lost.response?.status, 412)
assert.equal(lost.error?.type, '/problems/precondition-failed')
const fresh = (await sdk.getEmployee({ path })).response?.headers.get('etag') ?? ''
const won = await sdk.updateEmployee({ path, headers: { 'If-Match': fresh }, body })
assert.equal(won.data?.salary, 200000)

for (const view of [sdk.listHighSalaryEmployees, sdk.listTopEarnersByDepartment]) {
  const { data, response } = await view()
  assert.equal(data?.[0]?.name, 'Ada Lovelace')
  const etag = response?.headers.get('etag') ?? ''
  const again = await view({ headers: { 'If-None-Match': etag } })
  assert.equal(again.response?.status, 304)
}

const richest = await sdk.listEmployees({
  query: { department: ['Engineering'], salary_min: 100000, sort: '-salary', limit: 2 },
  headers: { Prefer: 'count=exact' },
})
assert.equal(richest.data?.[0]?.name, 'Ada Lovelace')
assert.equal(richest.response?.headers.get('x-total-count'), '3')
const unserved = await sdk.listEmployees({ query: { q: 'A', sort: 'salary', limit: 2 } })
assert.ok(unserved.error?.type === '/problems/validation')
assert.equal(unserved.error.errors[0]?.code, 'not_served')

const several = await sdk.createEmployee({
  headers: { 'Idempotency-Key': 'several' },
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
const oneOfThem = await sdk.createEmployee({ body: [ada, { ...ada, salary: -1 }] })
assert.ok(oneOfThem.error?.type === '/problems/validation')
assert.equal(oneOfThem.error.errors[0]?.path, '/body/1/salary')

const wrong = await sdk.createEmployee({ body: { ...ada, salary: -1 } })
assert.equal(wrong.response?.status, 400)
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

const gone = await sdk.deleteEmployee({ path })
assert.equal(gone.data?.message, 'Deleted')
assert.equal((await sdk.getEmployee({ path })).error?.status, 404)
