// no database: who is refused gets no further
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { mock } from 'node:test'
import t from 'tap'
import { LINES_PER_SECOND, RefusalLog } from '../../src/http/refusal-log.js'
import { newDatabase } from '../support/any-database.js'
import { entries, read } from '../support/keys.js'
import { Service } from '../support/service.js'

const SECRET = 'emp_secret-of-somebody'
const FLOOD = 200

t.test('ten lines a second of each kind, and one that says how many more', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  t.equal(LINES_PER_SECOND, 10)
  const lines: object[] = []
  const log = new RefusalLog({ warn: (line: object) => lines.push(line) } as never)
  const flood = (kind: string, count: number) => {
    for (let i = 0; i < count; i++) log.write(kind, { address: '192.0.2.1' })
  }
  flood('401', 1000)
  flood('421', 3)
  t.equal(lines.length, 13)
  mock.timers.tick(1000)
  t.strictSame(lines.slice(13), [{ 'error.code': '401', leftOut: 990 }])

  flood('401', 11)
  log.end()
  t.strictSame(lines.at(-1), { 'error.code': '401', leftOut: 1 }, 'and at the end')
  t.equal(lines.length, 25)
  mock.timers.tick(10_000)
  t.equal(lines.length, 25, 'where nothing is refused nothing is said')
})

t.test('refusals are logged with the address, and with nothing that was sent', async (t) => {
  const databaseUrl = await newDatabase(t)
  const env = { API_KEYS: entries, ALLOWED_HOSTS: 'a.example', DATABASE_URL: databaseUrl }
  const service = await Service.start(t, env)
  const output = linesOf(service.process)
  const { port } = new URL(service.url)
  const wrong = { authorization: `Bearer ${SECRET}`, 'x-request-id': SECRET }
  await fetch(`${service.url}/employees?${SECRET}`, { headers: wrong })
  await fetch(`${service.url}/employees/1`, { headers: read, method: 'DELETE' })
  await send(port, `GET /${SECRET} HTTP/1.1\r\nHost: ${SECRET}\r\nConnection: close\r\n\r\n`)
  await send(port, `${SECRET}\r\n\r\n`)
  for (let i = 0; i < FLOOD; i++) await fetch(`${service.url}/${SECRET}`, { headers: wrong })
  for (let i = 0; i < FLOOD; i++) await send(port, `${SECRET}\r\n\r\n`)
  t.equal(await service.stop(), 0)

  const log = await output
  t.notOk(JSON.stringify(log).includes(SECRET))
  const refused = log.filter(({ message }) => message === 'refused')
  const client = { 'client.ip': '127.0.0.1' }
  const first = (kind: string) => refused.find((line) => line['error.code'] === kind)
  t.match(first('401'), {
    ...client,
    'http.request.method': 'GET',
    'http.route': '/employees',
    'http.response.status_code': 401,
    'error.type': 'key-unknown',
  })
  t.match(first('403'), {
    ...client,
    'http.request.method': 'DELETE',
    'http.route': '/employees/:id',
    'user.name': 'reader',
  })
  t.match(first('421'), { ...client, 'http.request.id': /^[0-9a-f]{32}$/ })
  t.match(first('429'), client)
  t.match(first('parser'), {
    ...client,
    'http.response.status_code': 400,
    'error.type': /^HPE_/,
    'http.request.id': String,
  })
  for (const kind of ['401', '429', 'parser']) {
    const lines = refused.filter((line) => line['error.code'] === kind).length
    const leftOut = log
      .filter((line) => line['error.code'] === kind && line.leftOut)
      .reduce((sum, line) => sum + line.leftOut, 0)
    t.equal(lines + leftOut, { 401: 30, 429: FLOOD - 29, parser: FLOOD + 1 }[kind], kind)
  }
  t.ok(
    log.filter(({ message }) => message === 'request').length === 0,
    'in place of the access log',
  )
})

async function linesOf({ stdout }: ChildProcess) {
  const lines = (await text(stdout as Readable)).trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

async function send(port: string, bytes: string): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes)).resume()
  await once(socket, 'close')
}
