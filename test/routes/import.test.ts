// slow: much is sent, and a service killed
import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { dialect, newDatabase } from '../support/any-database.js'
import { type App, build, temporaryDirectory } from '../support/build.js'
import { apiKeys, read, write } from '../support/keys.js'
import { open } from '../support/requests.js'
import { Service } from '../support/service.js'
import { openShell, refuseEmployee, shellOf } from '../support/shell.js'
import { until } from '../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

const MIB = 1024 * 1024
const NDJSON = { 'content-type': 'application/x-ndjson' }

t.test('lines are created in their order, and the answer tells how many and which', async (t) => {
  const app = await build(t)
  await app.employees.create(ada)
  const given = people(2500)
  const answer = await post(app, `\ufeff${lines(given).replaceAll('\n', '\r\n')}\r\n\r\n`)
  t.equal(answer.statusCode, 201)
  const { count, first, last } = answer.json()
  t.strictSame([count, last - first + 1], [2500, 2500])
  t.equal(answer.headers.etag, undefined)
  const all = (await app.inject('/employees')).json().slice(1)
  t.strictSame(
    all,
    given.map((person, n) => ({ id: first + n, ...person })),
  )
  const page = await app.inject(answer.headers.location as string)
  t.strictSame(page.json(), all.slice(0, 1000), 'Location is the first page of them')
  const next = await app.inject({ method: 'POST', url: '/employees', payload: ada })
  t.equal(next.json().id, last + 1)
  t.equal((await post(app, JSON.stringify(ada))).json().count, 1, 'a last line needs no end')
})

t.test('views show all of an import right behind it, in every process', async (t) => {
  const one = await build(t)
  const two = await build(t, { databaseUrl: one.config.databaseUrl })
  for (const app of [one, two]) await app.inject('/employees/high-salary')
  await post(one, lines(people(1200)))
  const everybody = (await one.inject('/employees')).json()
  for (const app of [one, two]) {
    const high = everybody.filter(({ salary }: typeof ada) => salary > 100_000)
    t.strictSame((await app.inject('/employees/high-salary')).json(), high)
    t.equal((await app.inject('/employees/top2-by-department')).json()[0].salary, 289_800)
  }
})

t.test('bad lines are named, the first twenty, and nobody is created', async (t) => {
  const app = await build(t)
  const good = JSON.stringify(ada)
  const bad = [
    good,
    '{"name":',
    '',
    '[]',
    good.replace('120000', '-1'),
    good.replace('}', ',"x":1}'),
  ]
  const { errors, detail, type } = (await post(app, bad.join('\n'))).json()
  t.equal(type, '/problems/validation')
  t.match(errors, [
    { line: 2, path: '/body', code: 'malformed', message: /^is no JSON/ },
    { line: 4, path: '/body', code: 'wrong_type' },
    { line: 5, path: '/body/salary', code: 'too_small', message: 'must be >= 0, got -1' },
    { line: 6, path: '/body/x', code: 'unknown' },
  ])
  t.match(detail, /^4 of 5 lines are wrong, and nobody was created: line 2: /)

  const many = await post(app, lines([...people(3000), ...Array(500).fill({ ...ada, salary: -1 })]))
  const told = many.json()
  t.match(told.detail, /^500 of 3500 lines/)
  t.strictSame(
    told.errors.map(({ line }: { line: number }) => line),
    Array.from({ length: 20 }, (_, n) => 3001 + n),
  )
  const wide = Object.fromEntries(people(500).map((_, n) => [`field${n}`, n]))
  t.equal((await post(app, lines([wide]))).json().errors.length, 5)
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('a line that cannot be read is named, and ends the reading', async (t) => {
  const app = await build(t)
  const good = `${JSON.stringify(ada)}\n`
  for (const [bytes, message] of [
    [Buffer.from([0xff]), /not UTF-8/],
    [Buffer.from(' '.repeat(17_000)), /longer than 16384 characters/],
  ] as const) {
    for (const rest of [good, '']) {
      const answer = await post(app, Buffer.concat([Buffer.from(good), bytes, Buffer.from(rest)]))
      t.match(answer.json(), { status: 400, errors: [{ line: 2, path: '/body', message }] })
    }
  }
  const inOnePiece = Buffer.concat([Buffer.from(`bad\n${good}bad\n`), Buffer.from([0xff])])
  t.match((await post(app, inOnePiece)).json(), {
    detail: /^3 of 4 lines are wrong/,
    errors: [{ line: 1 }, { line: 3 }, { line: 4, message: /not UTF-8/ }],
  })
  for (const nothing of ['', '\n\n']) {
    t.match((await post(app, nothing)).json(), { status: 400, errors: [{ code: 'required' }] })
  }
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('50,000 lines and 32 MiB are all that is read', async (t) => {
  const app = await build(t)
  const bad = '{}\n'
  t.equal((await post(app, bad.repeat(50_000))).statusCode, 400)
  const many = await post(app, bad.repeat(50_001))
  t.match(many.json(), { status: 413, detail: /50000 lines/ })

  const long = `${' '.repeat(16_000)}\n`.repeat(100)
  const payload = () =>
    Readable.from(
      (function* () {
        for (let sent = 0; sent <= 33 * MIB; sent += long.length) yield long
      })(),
    )
  const large = { method: 'POST', url: '/employees', headers: NDJSON } as const
  t.equal((await app.inject({ ...large, payload: payload() })).statusCode, 413)
  const headers = { ...NDJSON, 'content-length': `${33 * MIB}` }
  t.equal((await app.inject({ ...large, headers, payload: payload() })).statusCode, 413)
})

t.test('who sends more than is read is told, and disconnected', async (t) => {
  const app = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = await begin(t, url)
  const answer = text(socket)
  const more = chunk('{}\n'.repeat(1000))
  for (let n = 0; n < 52 && !socket.destroyed; n++) {
    if (!socket.write(more)) await Promise.race([once(socket, 'drain'), answer])
  }
  t.match(await answer, /^HTTP\/1\.1 413 .*\r\nconnection: close\r\n.*body-too-large/is)
})

t.test('many lines take no more memory than a few', async (t) => {
  const app = await build(t)
  const live: number[] = []
  const payload = Readable.from(
    (function* () {
      const block = `${JSON.stringify({ ...ada, salary: 1 }).padEnd(800)}\n`.repeat(100)
      for (let n = 0; n < 200; n++) {
        if (n % 20 === 5) {
          gc()
          live.push(getHeapStatistics().used_heap_size)
        }
        yield block
      }
      yield '?'
    })(),
  )
  const answer = await app.inject({ method: 'POST', url: '/employees', headers: NDJSON, payload })
  t.match(answer.json(), { status: 400, errors: [{ line: 20_001 }] })
  const growth = Math.max(...live) - (live[0] as number)
  t.ok(live.length === 10 && growth < 4e6, `${growth} bytes, of 16 MB`)
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('lines that are sent again are answered as the first, and create nobody', async (t) => {
  const app = await build(t)
  const body = lines(people(50))
  const first = await post(app, body, { 'idempotency-key': 'a' })
  t.equal(first.statusCode, 201)
  await app.inject({ method: 'DELETE', url: `/employees/${first.json().first}` })
  const again = await post(app, `\n${body.replaceAll(',', ' ,')}`, { 'idempotency-key': 'a' })
  t.strictSame(
    [again.statusCode, again.body, again.headers.location],
    [201, first.body, first.headers.location],
  )
  t.equal((await app.inject('/employees')).json().length, 49)
  const next = await app.inject({ method: 'POST', url: '/employees', payload: ada })
  t.equal(next.json().id, first.json().last + 1, 'no ids were taken for it')

  t.equal((await post(app, lines(people(49)), { 'idempotency-key': 'a' })).statusCode, 422)
  await post(app, JSON.stringify(ada), { 'idempotency-key': 'b' })
  for (const payload of [ada, [ada]]) {
    const headers = { 'idempotency-key': 'b' }
    const answer = await app.inject({ method: 'POST', url: '/employees', payload, headers })
    t.equal(answer.statusCode, 422, 'a line is neither one employee nor an array')
  }
  t.equal((await app.inject('/employees')).json().length, 51)
})

t.test('what was refused has used no key', async (t) => {
  const app = await build(t)
  t.equal((await post(app, '{}', { 'idempotency-key': 'a' })).statusCode, 400)
  t.equal((await post(app, JSON.stringify(ada), { 'idempotency-key': 'a' })).statusCode, 201)
})

t.test('a client that leaves in the middle changes nothing, and its place is free', async (t) => {
  const app = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (let n = 0; n < 3; n++) {
    const socket = await begin(t, url)
    socket.write(chunk(lines(people(300))))
    socket.destroy()
    await until(() => app.connections.size === 0)
  }
  await until(async () => (await post(app, JSON.stringify(ada))).statusCode === 201)
  t.equal((await app.inject('/employees')).json().length, 1)
})

t.test('a client imports once at a time, and a process twice', async (t) => {
  const app = await build(t, { apiKeys, trustProxy: true })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = await begin(t, url, write)
  socket.write(chunk(lines(people(3))))
  let refused = await post(app, '{}', write)
  await until(async () => {
    refused = await post(app, '{}', write)
    return refused.statusCode === 429
  })
  t.match(refused.json(), { type: '/problems/too-many-imports-of-one' })
  t.equal(refused.headers['retry-after'], '1')
  t.equal((await post(app, '{}', read)).statusCode, 403)
  const created = await app.inject({
    method: 'POST',
    url: '/employees',
    payload: ada,
    headers: write,
  })
  t.equal(created.statusCode, 201, 'others go on writing')
  socket.write('0\r\n\r\n')
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 201 /)

  const free = await build(t, { trustProxy: true })
  const there = await free.listen({ host: '127.0.0.1', port: 0 })
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    await begin(t, there, { 'x-forwarded-for': address })
  }
  await until(async () => {
    refused = await post(free, '{}', { 'x-forwarded-for': '192.0.2.3' })
    return refused.statusCode === 503
  })
  t.match(refused.json(), { type: '/problems/too-many-imports' })
  t.equal(refused.headers['retry-after'], '1')
})

t.test('an import that the database refuses is not there at all', async (t) => {
  const app = await build(t)
  await refuseEmployee(await shellOf(t, app), 'Person 1500')
  t.equal((await post(app, lines(people(2000)), { 'idempotency-key': 'a' })).statusCode, 500)
  t.strictSame((await app.inject('/employees')).json(), [])
  t.equal((await post(app, lines(people(20)), { 'idempotency-key': 'a' })).statusCode, 201)
})

t.test('others write meanwhile, and all of both is there', async (t) => {
  const app = await build(t)
  let isDone = false
  let created = 0
  const writing = (async () => {
    while (!isDone) {
      const answer = await app.inject({ method: 'POST', url: '/employees', payload: ada })
      if (answer.statusCode !== 201) throw new Error(answer.body)
      created++
    }
  })()
  const { count } = (await post(app, lines(people(5000)))).json()
  isDone = true
  await writing
  t.equal(count, 5000)
  t.ok(created > 0)
  t.equal((await app.inject('/employees')).json().length, count + created)
})

t.test('a database in memory takes lines, too', async (t) => {
  const app = await build(t, { databaseUrl: 'file::memory:' })
  const body = lines(people(1500))
  const first = await post(app, body, { 'idempotency-key': 'a' })
  t.strictSame(first.json(), { count: 1500, first: 1, last: 1500 })
  t.equal((await post(app, body, { 'idempotency-key': 'a' })).body, first.body)
  t.equal((await app.inject('/employees')).json().length, 1500)
})

t.test('a process that is killed in the middle of an import leaves nothing', async (t) => {
  const [DATABASE_URL, temporary] = [await newDatabase(t), await temporaryDirectory(t)]
  const env = { DATABASE_URL, SQLITE_TMPDIR: temporary }
  const service = await Service.start(t, env)
  const socket = await begin(t, service.url)
  // More than SQLite keeps in memory.
  const one = { ...ada, name: 'x'.repeat(100), department: 'y'.repeat(100) }
  socket.write(chunk(`${JSON.stringify(one)}\n`.repeat(30_000)))
  const shell = await openShell(t, DATABASE_URL)
  const staged = () =>
    dialect === 'sqlite'
      ? openFiles(service.process.pid as number, temporary)
      : shell.all("SELECT FROM pg_class WHERE relname = 'staged'").then(({ length }) => length)
  await until(async () => (await staged()) > 0)
  t.strictSame(await readdir(temporary), [], 'what is staged has no name')
  await service.stop('SIGKILL')
  await until(async () => (await staged()) === 0)
  t.strictSame(await shell.all('SELECT * FROM employees'), [])
})

t.test('lines are for POST alone', async (t) => {
  const app = await build(t, { databaseUrl: await newDatabase(t) })
  await app.employees.create(ada)
  for (const method of ['PUT', 'PATCH'] as const) {
    const payload = JSON.stringify({ name: 'Grace' })
    const answer = await app.inject({ method, url: '/employees/1', headers: NDJSON, payload })
    t.equal(answer.statusCode, 415)
  }
})

/** How many files of a folder a process has open, be they without a name; on other systems than Linux one. */
async function openFiles(pid: number, folder: string): Promise<number> {
  if (process.platform !== 'linux') return 1
  const links = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const targets = links.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))
  return (await Promise.all(targets)).filter((target) => target.startsWith(folder)).length
}

function people(count: number) {
  return Array.from({ length: count }, (_, n) => {
    return { name: `Person ${n}`, salary: 50_000 + n * 200, department: 'Sales' }
  })
}

function lines(values: object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}

function post(app: App, payload: string | Buffer, headers: object = {}) {
  return app.inject({
    method: 'POST',
    url: '/employees',
    headers: { ...NDJSON, ...headers },
    payload,
  })
}

/** A connection on which an import has begun: the service asks for its body. */
async function begin(t: Test, url: string, headers: object = {}): Promise<Socket> {
  const socket = await open(t, url)
  const own = { host: 'localhost', ...NDJSON, 'transfer-encoding': 'chunked', ...headers }
  const fields = Object.entries({ ...own, expect: '100-continue' })
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`POST /employees HTTP/1.1\r\n${head}\r\n`)
  await once(socket, 'data')
  return socket
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}
