// slow: each of its services is a process
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { terminal } from '../src/terminal-log.js'
import { newDatabase } from './support/any-database.js'
import { entries, read, write } from './support/keys.js'
import { SERVER, Service } from './support/service.js'
import { until } from './support/until.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const json = { 'content-type': 'application/json' }

t.test('a line of JSON for each request, in fields of ECS', async (t) => {
  const service = await Service.start(t, { API_KEYS: entries, DATABASE_URL: await newDatabase(t) })
  const log = linesOf(service)
  await fetch(`${service.url}/employees/high-salary`, { headers: read })
  const headers = { ...read, 'x-request-id': 'seven', traceparent: `00-${TRACE}-${SPAN}-01` }
  await fetch(`${service.url}/employees/high-salary?q=Ada`, { headers })
  await service.stop()
  const [, line] = (await log).filter(({ message }) => message === 'request')
  const { '@timestamp': at, 'event.duration': nanoseconds, ...others } = line ?? {}
  t.ok(Math.abs(Date.now() - Date.parse(at as string)) < 60_000)
  t.ok(Number.isInteger(nanoseconds) && (nanoseconds as number) > 1000)
  t.match(others, {
    'log.level': 'info',
    'service.name': 'employees',
    'process.pid': service.process.pid,
    'http.request.id': 'seven',
    'http.request.method': 'GET',
    'url.path': '/employees/high-salary',
    'http.response.status_code': 200,
    'user.name': 'reader',
    cacheSource: 'near',
    'trace.id': TRACE,
    'span.id': SPAN,
  })
})

t.test('a 4xx says why, and nothing of what was sent', async (t) => {
  const service = await Service.start(t, { API_KEYS: entries, DATABASE_URL: await newDatabase(t) })
  const log = linesOf(service)
  const ask = (path: string, body?: string) =>
    fetch(service.url + path, {
      headers: { ...write, ...(body && json) },
      ...(body && { method: 'POST', body }),
    })
  await ask('/employees?q=Hopper&limit=0&Hopper=1')
  await ask('/employees', JSON.stringify({ name: 'Hopper', salary: -4711, Hopper: 1 }))
  await ask('/employees', '{"salary":4711,"name":"Hopper}')
  await ask('/employees/7?name=Hopper')
  await ask(`/${'long/'.repeat(1000)}`)
  await service.stop()
  const lines = await log
  t.notMatch(JSON.stringify(lines), /Hopper|4711/)
  const requests = lines.filter(({ message }) => message === 'request')
  t.strictSame(
    requests.map((line) => [line['error.type'], line['error.message']]),
    [
      ['validation', '/query unknown, /query/limit too_small'],
      ['validation', '/body/department required, /body unknown, /body/salary too_small'],
      ['malformed-body', '/body malformed'],
      ['no-such-employee', undefined],
      ['not-found', undefined],
    ],
  )
  t.equal(`${requests.at(-1)?.['url.path']}`.length, 257, 'a path has a bound')
})

t.test('a traceparent is heeded if it is as it must be', async (t) => {
  const service = await Service.start(t, { DATABASE_URL: await newDatabase(t) })
  const log = linesOf(service)
  const good = [`00-${TRACE}-${SPAN}-00`, `01-${TRACE}-${SPAN}-01-more`, `cc-${TRACE}-${SPAN}-01`]
  const bad = [
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `01-${TRACE}-${SPAN}-01more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0g`,
    '',
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ]
  for (const traceparent of [...good, ...bad]) {
    await fetch(`${service.url}/livez`, { headers: { traceparent } })
  }
  await service.stop()
  const requests = (await log).filter(({ message }) => message === 'request')
  t.strictSame(
    requests.map((line) => [line['trace.id'], line['span.id']]),
    [...good.map(() => [TRACE, SPAN]), ...bad.map(() => [undefined, undefined])],
  )
})

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(`a start says once what it serves (${WEB_CONCURRENCY} processes)`, async (t) => {
    const DATABASE_URL = await newDatabase(t)
    const REDIS_URL = 'redis://somebody:emp_secret@127.0.0.1:1/2'
    const env = { DATABASE_URL, REDIS_URL, WEB_CONCURRENCY, API_KEYS: entries, PORT: '0' }
    const child = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (bytes) => (said += bytes))
    await until(() => said.includes('Server listening at'))
    const messages = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).message)
    for (const expected of [
      new RegExp(
        `^employees [\\d.]+ on Node .*: ${WEB_CONCURRENCY === '1' ? 'one process' : '2 workers'}$`,
      ),
      DATABASE_URL.startsWith('file:')
        ? `database: SQLite, ${DATABASE_URL.slice('file:'.length)}`
        : /^database: PostgreSQL, [\w.]+:\d+\/\w+$/,
      'Redis: redis://127.0.0.1:1/2',
      'keys: 2, of which 1 may write',
    ]) {
      const matching = messages.filter((message) =>
        typeof expected === 'string' ? message === expected : expected.test(message),
      )
      t.equal(matching.length, 1, `${expected}`)
    }
    t.notMatch(said, /emp_secret|somebody/)
  })
}

t.test('on a terminal a request is one line for people', async (t) => {
  let said = ''
  const { write } = terminal({ write: (line) => (said = line) })
  const shown = (line: object) => {
    write(JSON.stringify({ level: 30, time: 0, pid: 1, hostname: 'h', ...line }))
    return stripVTControlCharacters(said).replace(/^\[.*?\] /, '')
  }
  const asked = { 'http.request.id': 'x', 'http.request.method': 'GET', msg: 'request' }
  const hit = { 'url.path': '/employees/high-salary', 'http.response.status_code': 200 }
  t.equal(
    shown({ ...asked, ...hit, 'event.duration': 312_000, cacheSource: 'near', 'user.name': 'web' }),
    'INFO: GET /employees/high-salary 200 0.31 ms hit (near) by web\n',
  )
  t.match(shown({ ...asked, ...hit, cacheSource: 'stored' }), /200 miss \(stored\)\n$/)
  const refused = { 'http.route': '/employees/:id', 'http.response.status_code': 401 }
  t.equal(
    shown({ ...asked, ...refused, level: 40, 'client.ip': '::1', 'error.type': 'key-needed' }),
    'WARN: GET /employees/:id 401 from ::1 key-needed\n',
  )
  t.equal(
    shown({ level: 40, msg: 'Redis is away', 'error.message': 'why' }),
    'WARN: Redis is away {"error.message":"why"}\n',
  )
  const err = { type: 'Error', message: 'no', stack: 'Error: no\n    at here' }
  t.match(
    shown({ ...asked, ...hit, level: 50, err }),
    /200[\s\S]*at here/,
    'errors with their stack',
  )
})

async function linesOf({ process: { stdout } }: Service): Promise<Record<string, unknown>[]> {
  const lines = (await text(stdout as Readable)).trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}
