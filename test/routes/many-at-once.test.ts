import { request } from 'node:http'
import t from 'tap'
import {
  EmployeeCreate,
  EmployeeCreateList,
  EmployeeCreation,
} from '../../src/employees/schemas.js'
import { buildValidator } from '../../src/http/validation.js'
import { ref } from '../../src/problems/schemas.js'
import { onPostgres } from '../support/any-database.js'
import { type App, build } from '../support/build.js'
import { halfRequest } from '../support/requests.js'
import { refuseEmployee, shellOf } from '../support/shell.js'
import { until } from '../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const schemas = [EmployeeCreate, EmployeeCreateList, EmployeeCreation]
const MIB = 1024 * 1024

t.test('an array is created in its order, and answered in it', async (t) => {
  const app = await build(t)
  await app.employees.create(ada)
  const given = people(1000)
  const answer = await post(app, given)
  t.equal(answer.statusCode, 201)
  const created = answer.json()
  t.strictSame(
    created.map(({ id, ...fields }: { id: number }) => fields),
    given,
  )
  t.equal(answer.headers.etag, undefined)
  const page = await app.inject(answer.headers.location as string)
  t.equal(page.body, answer.body, 'Location is the page of them')
  t.strictSame((await app.inject('/employees')).json().slice(1), created)
  t.equal((await post(app, [ada])).json().length, 1, 'one in an array is an array')
})

t.test('views show all of an array right behind it', async (t) => {
  const app = await build(t)
  for (const size of [1, 300, 1000]) {
    const before = (await app.inject('/employees/high-salary')).json()
    const created = (await post(app, people(size))).json()
    const high = created.filter(({ salary }: typeof ada) => salary > 100_000)
    t.strictSame((await app.inject('/employees/high-salary')).json(), [...before, ...high])
    const top = (await app.inject('/employees/top2-by-department')).json()
    t.equal(top[0].salary, 50_000 + (size - 1) * 200)
  }
})

t.test('one bad element is a 400 that names it, and nobody is created', async (t) => {
  const app = await build(t)
  const bad = [...people(3), { ...ada, salary: -1 }, { ...ada, id: 7 }, 5, { name: 'Ada' }]
  const answer = await post(app, bad)
  t.match(answer.json(), {
    status: 400,
    type: '/problems/validation',
    errors: [
      { path: '/body/3/salary', code: 'too_small', message: 'must be >= 0, got -1' },
      { path: '/body/4/id', code: 'unknown' },
      { path: '/body/5', code: 'wrong_type', message: 'must be object, got 5' },
      { path: '/body/6/salary', code: 'required' },
      { path: '/body/6/department', code: 'required' },
    ],
  })
  t.equal(answer.json().errors.length, 5)
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('an array has 1 to 1,000 elements', async (t) => {
  const app = await build(t)
  for (const [size, code] of [
    [0, 'too_short'],
    [1001, 'too_long'],
  ] as const) {
    const { errors } = (await post(app, people(size))).json()
    t.match(errors, [{ path: '/body', code }])
    t.equal(errors.length, 1)
  }
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('of errors twenty are told, and no more are looked for', async (t) => {
  const app = await build(t)
  const manyFields = Object.fromEntries(people(500).map((_, n) => [`field${n}`, n]))
  for (const list of [Array(1000).fill({}), Array(100).fill(manyFields), Array(1000).fill(null)]) {
    const { errors } = (await post(app, list)).json()
    t.equal(errors.length, 20)
  }
  const judge = buildValidator(
    Object.fromEntries(schemas.map((each) => [each.$id, each])),
    {},
  )({
    schema: ref(EmployeeCreation),
    httpPart: 'body',
    method: 'POST',
    url: '/employees',
  })
  t.notOk(judge(Array(1000).fill(null)))
  t.equal(judge.errors?.length, 20)
  const { errors } = (await post(app, [manyFields])).json()
  t.match(errors, [{ path: '/body/0', message: /more than 100 properties/ }])
  t.equal(errors.length, 1)
})

t.test('an array has up to 1 MiB, and anything else 64 KiB', async (t) => {
  const app = await build(t)
  const longest = { ...ada, name: '𝒜'.repeat(100), department: '𝒜'.repeat(100) }
  const payload = JSON.stringify(Array(1000).fill(longest))
  t.ok(Buffer.byteLength(payload) > 0.8 * MIB)
  t.equal(
    (await post(app, payload.padEnd(MIB - Buffer.byteLength(payload) + payload.length))).statusCode,
    201,
  )
  t.equal((await post(app, `[${JSON.stringify(ada)}]`.padEnd(MIB + 1))).statusCode, 413)
  t.equal((await post(app, JSON.stringify(ada).padEnd(64 * 1024 + 1))).statusCode, 413)
  t.equal((await app.inject('/employees')).json().length, 1000)
})

t.test('32 large bodies are in memory at once, said to be large or not', async (t) => {
  const app = await build(t, { trustProxy: true })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const large = `[${JSON.stringify(ada)}${' '.repeat(70_000)}`
  const answered: number[] = []
  const held = Array.from({ length: 40 }, (_, n) => {
    const length = n % 2 ? { 'content-length': large.length + 1 } : {}
    // Of each of five clients as many as it may.
    const client = { 'x-forwarded-for': `10.0.0.${n % 5}` }
    const headers = { 'content-type': 'application/json', ...client, ...length }
    const to = { port, host: '127.0.0.1', path: '/employees', method: 'POST', headers }
    const sending = request(to, (answer) => answered.push(answer.resume().statusCode as number))
    sending.on('error', () => {}).write(large)
    return sending
  })
  await until(() => answered.length === 8)
  const refused = await post(app, `${large}]`)
  t.match(refused.json(), { status: 503, detail: /large bodies/ })
  t.equal(refused.headers['retry-after'], '1')
  t.equal((await post(app, ada)).statusCode, 201, 'others are served')

  for (const sending of held) sending.end(']')
  await until(() => answered.length === 40)
  t.strictSame(answered.sort(), [...Array(32).fill(201), ...Array(8).fill(503)])
  t.equal((await post(app, `${large}]`)).statusCode, 201, 'places are given back')
})

t.test('eight of them are of one client: others find room', async (t) => {
  const app = await build(t, { trustProxy: true })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const large = `[${JSON.stringify(ada)}${' '.repeat(70_000)}`
  const answered: number[] = []
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': '10.0.0.1' }
  const to = { port, host: '127.0.0.1', path: '/employees', method: 'POST', headers }
  const held = Array.from({ length: 9 }, () => {
    const sending = request(to, (answer) => answered.push(answer.resume().statusCode as number))
    sending.on('error', () => {}).write(large)
    return sending
  })
  await until(() => answered.length === 1)
  t.strictSame(answered, [503])
  t.equal((await post(app, `${large}]`)).statusCode, 201, 'of another one')
  for (const sending of held) sending.end(']')
  await until(() => answered.length === 9)
  t.strictSame(answered.sort(), [...Array(8).fill(201), 503])
})

t.test('an array that is sent again is answered as the first, and creates nobody', async (t) => {
  const app = await build(t)
  const given = people(3)
  const first = await post(app, given, 'a')
  t.equal(first.statusCode, 201)
  await app.inject({ method: 'DELETE', url: `/employees/${first.json()[1].id}` })
  const again = await post(app, given, 'a')
  t.strictSame(
    [again.statusCode, again.body, again.headers.location],
    [first.statusCode, first.body, first.headers.location],
  )
  t.equal((await app.inject('/employees')).json().length, 2)
  for (const other of [people(2), people(4), [...given].reverse(), given[0]]) {
    t.equal((await post(app, other as object, 'a')).statusCode, 422)
  }
  t.equal((await post(app, [ada], 'b')).statusCode, 201)
  t.equal((await post(app, ada, 'b')).statusCode, 422, 'one is not an array of one')
})

t.test('many arrays and single ones at once: each whole, ids in its order', async (t) => {
  const app = await build(t)
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      post(app, n % 3 ? people(100) : ada, n % 2 ? `${n}` : undefined),
    ),
  )
  for (const answer of answers) {
    t.equal(answer.statusCode, 201)
    const created = [answer.json()].flat()
    for (const [index, { id }] of created.entries()) t.equal(id, created[0].id + index)
  }
  t.equal((await app.inject('/employees')).json().length, 10 + 20 * 100)
})

t.test('an array that the database refuses is not there at all', async (t) => {
  const app = await build(t)
  await refuseEmployee(await shellOf(t, app), 'Person 7')
  const [bad, good] = await Promise.all([post(app, people(10), 'a'), post(app, people(5), 'b')])
  t.strictSame([bad.statusCode, good.statusCode], [500, 201])
  t.equal((await app.inject('/employees')).json().length, 5)
  t.equal((await post(app, people(5), 'a')).statusCode, 201, 'and its key was not used')
})

t.test(
  'PostgreSQL: where ids do not follow each other, none is kept under a key',
  onPostgres,
  async (t) => {
    const app = await build(t)
    const shell = await shellOf(t, app)
    await shell.run('ALTER SEQUENCE employees_id_seq INCREMENT BY 2')
    const refused = await post(app, people(3), 'a')
    t.match(refused.json(), { status: 503, type: '/problems/database-unavailable' })
    t.strictSame((await app.inject('/employees')).json(), [])
    const created = await post(app, people(3))
    t.strictSame((await app.inject('/employees')).json(), created.json(), 'without a key they may')
  },
)

t.test('a client that leaves in the middle changes nothing', async (t) => {
  const app = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const [socket] = await halfRequest(t, url)
  socket.destroy()
  await until(() => app.connections.size === 0)
  t.strictSame((await app.inject('/employees')).json(), [])
})

function people(count: number) {
  return Array.from({ length: count }, (_, n) => {
    return { name: `Person ${n}`, salary: 50_000 + n * 200, department: 'Sales' }
  })
}

function post(app: App, payload: object | string, key?: string) {
  const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) }
  return app.inject({ method: 'POST', url: '/employees', payload, headers })
}
