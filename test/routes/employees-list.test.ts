import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { Employee } from '../../src/employees/schemas.js'
import type { JsonArrayStream } from '../../src/store/json-array-stream.js'
import { type App, build } from '../support/build.js'
import { apiKeys, read, write } from '../support/keys.js'
import { snapshotLimits } from '../support/snapshot-limits.js'
import { until } from '../support/until.js'

/** How many long lists may be under way at once. */
const SNAPSHOTS = snapshotLimits.lists

t.test('the list is a bare array by ascending id', async (t) => {
  const app = await build(t)
  const empty = await app.inject('/employees')
  t.equal(empty.statusCode, 200)
  t.equal(empty.body, '[]')

  await app.employees.createMany(people(3))
  await app.inject({ method: 'DELETE', url: '/employees/2' })
  const list = await app.inject('/employees')
  t.equal(list.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(list.json(), [person(1), person(3)])
})

t.test('a list longer than one chunk is complete, with and without a filter', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(3500))
  const everybody = Array.from({ length: 3500 }, (_, index) => person(index + 1))
  t.strictSame((await app.inject('/employees')).json(), everybody)
  t.strictSame((await app.inject('/employees?department=Odd')).json(), ofDepartment('Odd'))

  function ofDepartment(department: string) {
    return everybody.filter((employee) => employee.department === department)
  }
})

t.test('?department= filters by the exact name', async (t) => {
  const app = await build(t)
  const departments = ['R&D', 'r&d', 'R&D ', 'R%26D', 'Größe 📏', "x' OR '1'='1", 'Ops+1', '%']
  await app.employees.createMany(departments.map((department) => ({ ...person(1), department })))
  for (const [index, department] of departments.entries()) {
    for (const limit of [{}, { limit: '10' }]) {
      const query = new URLSearchParams({ department, ...limit })
      const answer = await app.inject(`/employees?${query}`)
      t.strictSame(ids(answer.json()), [index + 1], `${query}`)
    }
  }
  t.strictSame((await app.inject('/employees?department=nowhere')).json(), [])
})

t.test('the pages, by the links from one to the next, are the list', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(25))
  for (const filter of ['', '&department=Odd']) {
    const list = (await app.inject(`/employees?${filter}`)).json()
    for (const limit of [1, 5, 7, 24, 25, 26, 1000]) {
      const pages = await follow(app, `/employees?limit=${limit}${filter}`)
      t.strictSame(pages.flat(), list, `limit=${limit}${filter}`)
      t.equal(pages.length, Math.ceil(list.length / limit), 'no page is empty')
    }
  }
  t.strictSame(await follow(app, '/employees?limit=5&department=nowhere'), [[]])
})

t.test('a link keeps a department that has characters of its own in URLs', async (t) => {
  const app = await build(t)
  const department = 'R&D > "Größe" 100% + 📏; rel=x'
  await app.employees.createMany([1, 2, 3].map(() => ({ ...person(1), department })))
  const pages = await follow(app, `/employees?${new URLSearchParams({ department, limit: '1' })}`)
  t.strictSame(pages.map(ids), [[1], [2], [3]])
})

t.test('who is there from the first page to the last is on exactly one', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(20))
  const pages = await follow(app, '/employees?limit=4', async (page) => {
    // The last one of this page goes, and so does somebody on the page to come.
    const last = ids(page).at(-1) as number
    for (const id of [last, last + 2]) {
      await app.inject({ method: 'DELETE', url: `/employees/${id}` })
    }
    if (last < 20) await app.employees.createMany(people(1))
  })
  const seen = ids(pages.flat())
  const stayed = ids((await app.inject('/employees')).json())
  t.strictSame(
    stayed.filter((id) => !seen.includes(id)),
    [],
  )
  t.equal(new Set(seen).size, seen.length, 'nobody twice')
})

t.test('an id to go on behind, without a limit, gives everybody behind it', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(6))
  const next = nextOf(await app.inject('/employees?limit=2')) as string
  const after = new URLSearchParams(next.split('?')[1]).get('after')
  t.strictSame(ids((await app.inject(`/employees?after=${after}`)).json()), [3, 4, 5, 6])
})

t.test('a bad query is a 400 that names the parameter', async (t) => {
  const app = await build(t)
  const queries: [query: string, path: string][] = [
    ['limit=0', '/query/limit'],
    ['limit=-1', '/query/limit'],
    ['limit=1001', '/query/limit'],
    ['limit=1.5', '/query/limit'],
    ['limit=abc', '/query/limit'],
    ['limit=', '/query/limit'],
    ['limit=1e999', '/query/limit'],
    ['limit=1&limit=2', '/query/limit'],
    ['department=', '/query/department/0'],
    ['department=%00', '/query/department/0'],
    [`department=${'x'.repeat(101)}`, '/query/department/0'],
    ['after=', '/query/after'],
    ['after=0', '/query/after'],
    ['after=01', '/query/after'],
    ['after=1e3', '/query/after'],
    ['after=%F0%9F%98%80', '/query/after'],
    ['after=YWZ0ZXI6MTAw', '/query/after'],
    [`limit=5&after=${'9'.repeat(16)}`, '/query/after'],
    ['unknown=1', '/query/unknown'],
    ['Limit=1', '/query/Limit'],
    ['__proto__=1', '/query/__proto__'],
  ]
  for (const [query, path] of queries) {
    const answer = await app.inject(`/employees?${query}`)
    t.match(answer.json(), { status: 400, errors: [{ path, message: String }] }, query)
  }
})

t.test('one long list too many is a 503 with Retry-After, and pages go on', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(3))
  for (let open = 1; open <= SNAPSHOTS; open++) {
    const list = await app.employees.list({})
    t.teardown(() => list.destroy())
  }
  const refused = await app.inject('/employees')
  t.match(refused.json(), { status: 503 })
  t.match(refused.headers, { 'content-type': /^application\/problem\+json/, 'retry-after': '1' })
  t.equal((await app.inject('/employees?limit=3')).json().length, 3)
})

t.test(
  'a client reads a few lists at once, one more is a 429; others are not counted',
  async (t) => {
    const app = await build(t, { apiKeys })
    // However much the kernel takes, these lists have not been read to their end.
    app.employees.list = async () => {
      const list = new Readable({ read() {} })
      list.push('[')
      return list as JsonArrayStream
    }
    const origin = await app.listen({ port: 0 })
    const unread = async (headers: Record<string, string>) => {
      const request = get(`${origin}/employees`, { headers, agent: false })
      t.teardown(() => request.destroy())
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      return response
    }
    const first = await unread(read)
    for (let i = 1; i < 8; i++) t.equal((await unread(read)).statusCode, 200)
    const refused = await app.inject({ url: '/employees', headers: read })
    t.match(refused.json(), { status: 429, detail: /8 whole lists at once/ })
    t.match(refused.headers, { 'retry-after': '1' })
    t.equal(
      (await app.inject({ url: '/employees?limit=1', headers: read })).statusCode,
      200,
      'a page',
    )
    t.equal((await unread(write)).statusCode, 200, 'another client')
    first.destroy()
    await until(async () => (await unread(read)).statusCode === 200)
  },
)

t.test('a client that leaves in the middle of a long list takes nothing with it', async (t) => {
  const app = await build(t)
  await app.employees.createMany(longList)
  const origin = await app.listen({ port: 0 })
  const closed = nextConnectionClosed(app)
  const [response] = (await once(get(`${origin}/employees`), 'response')) as [IncomingMessage]
  await once(response, 'data')
  t.notOk(response.complete, 'there was more to come')
  response.destroy()
  await closed
  await servesAsBefore(t, app, origin)
})

t.test('a client that leaves with lists still queued takes nothing with it', async (t) => {
  const app = await build(t)
  await app.employees.createMany(longList)
  const origin = await app.listen({ port: 0 })
  const closed = nextConnectionClosed(app)
  const socket = connect((app.server.address() as AddressInfo).port, new URL(origin).hostname)
  socket.write('GET /employees HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(10))
  await once(socket, 'data')
  socket.destroy()
  await closed
  await servesAsBefore(t, app, origin)
})

const longList = Array.from({ length: 5000 }, () => ({
  name: '📏'.repeat(100),
  salary: 1,
  department: '📏'.repeat(100),
}))

/** The list is whole, and no snapshot was left open: as many as ever can be. */
async function servesAsBefore(t: Test, app: App, origin: string) {
  const response = await fetch(`${origin}/employees`)
  t.equal(((await response.json()) as unknown[]).length, longList.length)
  for (let open = 1; open <= SNAPSHOTS; open++) {
    const list = await app.employees.list({})
    t.teardown(() => list.destroy())
  }
}

/** Resolves when the server has seen the end, however rude, of the next connection. */
async function nextConnectionClosed(app: App) {
  const [socket] = await once(app.server, 'connection')
  await new Promise((resolve) => socket.once('close', resolve))
}

/** Every page from `url` on; `between` runs after each. */
async function follow(app: App, url: string, between?: (page: Employee[]) => Promise<void>) {
  const pages: Employee[][] = []
  for (let next: string | undefined = url; next !== undefined; ) {
    const answer = await app.inject(next)
    const page: Employee[] = answer.json()
    pages.push(page)
    await between?.(page)
    next = nextOf(answer)
  }
  return pages
}

function nextOf({ headers }: { headers: Record<string, unknown> }): string | undefined {
  if (headers.link === undefined) return undefined
  return /^<([^<>]*)>; rel="next"$/.exec(String(headers.link))?.[1]
}

function person(id: number): Employee {
  return { id, name: `Person ${id} 👤`, salary: id / 3, department: id % 2 ? 'Odd' : 'Even' }
}

function people(count: number) {
  return Array.from({ length: count }, (_, index) => person(index + 1))
}

function ids(employees: Employee[]): number[] {
  return employees.map(({ id }) => id)
}
