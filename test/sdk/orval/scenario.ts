import assert from 'node:assert/strict'
import { published } from '../operations.js'
import { nextPage } from '../paging.js'
import type { Typed } from '../typed.js'
import * as sdk from './client/client.js'

/** Of an operation, by status; the client's functions that make URLs are none. */
type Operations = {
  [Name in keyof typeof sdk as (typeof sdk)[Name] extends (
    ...parameters: never[]
  ) => Promise<unknown>
    ? Name
    : never]: (typeof sdk)[Name]
}
type Answers<Name extends keyof Operations> = Awaited<
  ReturnType<Extract<Operations[Name], (...parameters: never[]) => unknown>>
>
/** `data` by status. */
type Data<Answer extends { status: number; data: unknown }> = {
  [Status in Answer['status']]: Extract<Answer, { status: Status }>['data']
}
const typed: { [Name in keyof Operations]: Typed<Data<Answers<Name>>> } = published
/** Nor was an operation left out. */
const complete: { [Name in keyof typeof published]: true } = typed
assert.ok(complete)

let id = 0
const ada = { name: 'Ada Lovelace', salary: 180000, department: 'Engineering' }
for (const name of [ada.name, 'Grace Hopper', 'Tom Jones']) {
  const { status, data } = await sdk.createEmployee({ ...ada, name })
  assert.ok(status === 201 && 'id' in data)
  id ||= data.id
}

const everyone: sdk.Employee[] = []
let after: number | undefined
do {
  const page = after === undefined ? { limit: 2 } : { limit: 2, after }
  const { status, data, headers } = await sdk.listEmployees(page)
  assert.ok(status === 200)
  everyone.push(...data)
  after = nextPage(headers)
} while (after !== undefined)
assert.deepEqual(
  everyone.map(({ name }) => name),
  ['Ada Lovelace', 'Grace Hopper', 'Tom Jones'],
)

const read = await sdk.getEmployee(id)
assert.deepEqual(read.data, { ...ada, id })
const stale = read.headers.get('etag') ?? ''
await sdk.patchEmployee(id, { salary: 190000 })

const raise = { salary: 200000 }
const lost = await sdk.updateEmployee(id, raise, { headers: { 'If-Match': stale } })
assert.ok(lost.status === 412)
assert.equal(lost.data.type, '/problems/precondition-failed')
const fresh = (await sdk.getEmployee(id)).headers.get('etag') ?? ''
const won = await sdk.updateEmployee(id, raise, { headers: { 'If-Match': fresh } })
assert.ok(won.status === 200)
assert.equal(won.data.salary, 200000)

for (const view of [sdk.listHighSalaryEmployees, sdk.listTopEarnersByDepartment]) {
  const { status, data, headers } = await view()
  assert.ok(status === 200)
  assert.equal(data[0]?.name, 'Ada Lovelace')
  const again = await view({ headers: { 'If-None-Match': headers.get('etag') ?? '' } })
  assert.equal(again.status, 304)
}

const richest = await sdk.listEmployees(
  { department: ['Engineering'], salary_min: 100000, sort: '-salary', limit: 2 },
  { headers: { Prefer: 'count=exact' } },
)
assert.ok(richest.status === 200)
assert.equal(richest.data[0]?.name, 'Ada Lovelace')
assert.equal(richest.headers.get('x-total-count'), '3')
const unserved = await sdk.listEmployees({ q: 'A', sort: 'salary', limit: 2 })
assert.ok(unserved.status === 400 && unserved.data.type === '/problems/validation')
assert.equal(unserved.data.errors[0]?.code, 'not_served')

const several = await sdk.createEmployee(
  [
    { ...ada, name: 'Joan' },
    { ...ada, name: 'Mary' },
  ],
  { headers: { 'Idempotency-Key': 'several' } },
)
assert.ok(several.status === 201 && Array.isArray(several.data))
assert.deepEqual(
  several.data.map(({ name }) => name),
  ['Joan', 'Mary'],
)
const oneOfThem = await sdk.createEmployee([ada, { ...ada, salary: -1 }])
assert.ok(oneOfThem.status === 400 && oneOfThem.data.type === '/problems/validation')
assert.equal(oneOfThem.data.errors[0]?.path, '/body/1/salary')

const wrong = await sdk.createEmployee({ ...ada, salary: -1 })
assert.ok(wrong.status !== 201)
const { data: failure } = wrong
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

const gone = await sdk.deleteEmployee(id)
assert.ok(gone.status === 200)
assert.equal(gone.data.message, 'Deleted')
assert.equal((await sdk.getEmployee(id)).status, 404)
