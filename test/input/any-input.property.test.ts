// slow: it asks thousands of requests
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import type { LightMyRequestResponse as Response } from 'fastify'
import t from 'tap'
import { type App, build } from '../support/build.js'
import { servedRoutes } from '../support/served-routes.js'

/** The contract's, and what monitoring and generators read. A DELETE is of somebody else: Ada stays. */
const routes = (await servedRoutes())
  .filter(({ method }) => method !== 'HEAD')
  .filter(({ isPublished, url }) => isPublished || /^\/(metrics|openapi\.json)$/.test(url))
  .map(({ method, path }) => [method, method === 'DELETE' ? path.replace('1', '2') : path] as const)

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE')
const anyText = fc.string({ unit: 'binary', maxLength: 60 })
// What a client of node:http can put into a header at all.
const headerValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
})

t.test('any JSON value as a body: stored as it was written, or refused whole', async (t) => {
  const app = await withAda(t)
  const employee = fc.record(
    {
      name: fc.oneof(anyText, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })),
      salary: fc.oneof(fc.double({ noNaN: true }), fc.double({ min: 0, max: 1e12, noNaN: true })),
      department: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
    },
    { requiredKeys: [] },
  )
  const body = fc.oneof(employee, fc.jsonValue(), fc.object().map(jsonOf))
  const verb = fc.constantFrom('POST' as const, 'PUT' as const, 'PATCH' as const)
  let stored = 0
  await fc.assert(
    fc.asyncProperty(verb, body, async (method, value) => {
      const before = await everybody(app)
      const answer = await app.inject({
        method,
        url: method === 'POST' ? '/employees' : '/employees/1',
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(value),
      })
      if (answer.statusCode < 300) {
        stored++
        const { id } = answer.json()
        const read = (await app.inject(`/employees/${id}`)).json()
        // -0 has no sign in JSON; all else is read back to the last bit.
        for (const [field, sent] of Object.entries(value as object)) {
          if (read[field] !== sent)
            throw new Error(`${field}: ${sent} is read back as ${read[field]}`)
        }
        return
      }
      problem(answer, [400])
      if ((await everybody(app)) !== before) throw new Error('a refused write changed something')
    }),
    { numRuns: 600 },
  )
  t.ok(stored > 20, `${stored} were stored`)
})

t.test('any bytes as a body, under any content type: never a 5xx', async (t) => {
  const app = await withAda(t)
  const contentType = fc.oneof(
    fc.constantFrom(
      'application/json',
      'application/x-ndjson',
      'application/merge-patch+json',
      'text/plain',
      '',
    ),
    headerValue,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.uint8Array({ maxLength: 200 }),
      contentType,
      async ([method, url], bytes, type) => {
        const headers = { 'content-type': type }
        const answer = await app.inject({
          method: method as 'GET',
          url,
          headers,
          payload: Buffer.from(bytes),
        })
        if (answer.statusCode >= 400) problem(answer, [400, 404, 415])
      },
    ),
    { numRuns: 500 },
  )
})

t.test('any text as a path segment or in the query: never a 5xx', async (t) => {
  const app = await withAda(t)
  const segment = fc.oneof(
    anyText.map((text) => encodeURIComponent(text.toWellFormed())),
    fc.webPath(),
    fc.string({ maxLength: 40 }).map((text) => text.replace(/[^!-[\]-~]/g, '%')),
    fc.double().map(String),
  )
  await fc.assert(
    fc.asyncProperty(method, segment, segment, async (method, path, query) => {
      for (const url of [`/${path}`, `/employees/${path}`, `/employees?after=${query}&${path}`]) {
        const answer = await app.inject({ method: method as 'GET', url })
        if (answer.statusCode >= 400) problem(answer, [400, 404, 405, 414, 415])
      }
      // What asks for nothing beyond the process never lets the loop turn, and is overload after 5 s.
      await turn()
    }),
    { numRuns: 400 },
  )
})

t.test('any value of a header that means something: never a 5xx', async (t) => {
  const app = await withAda(t)
  const name = fc.constantFrom(
    'if-match',
    'if-none-match',
    'idempotency-key',
    'content-type',
    'accept',
    'range',
    'x-request-id',
    'authorization',
    'host',
    'cookie',
    'expect-ct',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.dictionary(name, headerValue, { maxKeys: 4 }),
      async ([method, url], headers) => {
        const answer = await app.inject({ method: method as 'GET', url, headers })
        if (answer.statusCode >= 400) problem(answer, [400, 401, 404, 412, 415, 421])
      },
    ),
    { numRuns: 600 },
  )
})

t.test('any value of Idempotency-Key: one employee for each key, or refused', async (t) => {
  const app = await withAda(t)
  const visible = fc.stringMatching(/^[\x21-\x7e]{1,260}$/)
  const key = fc.oneof(
    headerValue,
    visible,
    fc.stringMatching(/^"?[\x21-\x7e]{1,6}"?$/),
    visible.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`),
  )
  const ids = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(key, async (value) => {
      const headers = { 'idempotency-key': value }
      const payload = { name: 'Grace', salary: 1, department: 'E' }
      const answer = await app.inject({ method: 'POST', url: '/employees', headers, payload })
      const meant = keyIn(value)
      if (meant === undefined) {
        problem(answer, [400])
        if (answer.json().errors[0].path !== '/headers/idempotency-key')
          throw new Error(answer.body)
        return
      }
      if (answer.statusCode !== 201) throw new Error(answer.body)
      const { id } = answer.json()
      if ((ids.get(meant) ?? id) !== id) throw new Error(`${value} has another answer now`)
      ids.set(meant, id)
    }),
    { numRuns: 800 },
  )
  t.ok(ids.size > 50, `${ids.size} keys`)
  t.equal(new Set(ids.values()).size, ids.size, 'different keys have different answers')
})

t.test(
  'any bytes on the socket: an answer or the end, and the next client is served',
  async (t) => {
    const app = await withAda(t)
    await app.listen({ port: 0 })
    const { port } = app.server.address() as AddressInfo
    const line = fc.constantFrom(
      'GET /employees HTTP/1.1',
      'POST /employees HTTP/1.1',
      'Host: localhost',
      'Content-Length: 5',
      'Content-Length: -1',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: gzip, chunked',
      'Content-Type: application/json',
      'Expect: 100-continue',
      'Expect: nothing',
      'Upgrade: websocket',
      'Connection: upgrade, close',
      'x'.repeat(20_000),
      '',
      'zz\r\n',
      '{"name":1}',
    )
    const bytes = fc.oneof(
      fc.array(line, { maxLength: 8 }).map((lines) => `${lines.join('\r\n')}\r\n\r\n`),
      fc.string({ unit: 'binary-ascii', maxLength: 300 }),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (request) => {
        const answer = await exchange(port, request)
        const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? []
        if (status !== undefined && Number(status) >= 500 && status !== '503') {
          throw new Error(answer)
        }
        if (Number(status) >= 400 && !/application\/problem\+json/i.test(answer)) {
          throw new Error(answer)
        }
      }),
      { numRuns: 200 },
    )
    t.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200)
  },
)

t.test('a megabyte of nesting is refused', async (t) => {
  const app = await withAda(t)
  for (const size of [30_000, 500_000]) {
    for (const open of ['[', '{"a":']) {
      const payload = open.repeat(size / open.length)
      const headers = { 'content-type': 'application/json' }
      const answer = await app.inject({ method: 'POST', url: '/employees', headers, payload })
      problem(answer, [400, 413])
    }
  }
  t.equal((await app.inject('/employees/1')).statusCode, 200)
})

t.test('hostile requests leave memory as it was', async (t) => {
  const app = await withAda(t)
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const flood = `POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n${'['.repeat(1e6)}`
  const round = () => Promise.all(Array.from({ length: 20 }, () => exchange(port, flood)))
  await round()
  const before = process.memoryUsage().rss
  for (let i = 0; i < 10; i++) await round()
  const growth = (process.memoryUsage().rss - before) / 2 ** 20
  // 200 MB were sent.
  t.ok(growth < 100, `${Math.round(growth)} MiB`)
})

async function withAda(t: Parameters<typeof build>[0]): Promise<App> {
  const app = await build(t)
  await app.employees.create({ name: 'Ada', salary: 120_000, department: 'Engineering' })
  return app
}

async function everybody(app: App): Promise<string> {
  return (await app.inject('/employees')).body
}

function problem(answer: Response, statuses: number[]): void {
  const { statusCode, headers, body } = answer
  const what = `${statusCode} ${headers['content-type']} ${body}`
  if (!statuses.includes(statusCode)) throw new Error(what)
  if (answer.raw.req.method === 'HEAD') return
  if (headers['content-type'] !== 'application/problem+json; charset=utf-8') throw new Error(what)
  const { type, title, status, detail, errors } = answer.json()
  if (!type || !title || !detail || status !== statusCode) throw new Error(what)
  if (statusCode === 400 && !(errors.length > 0)) throw new Error(what)
}

/** Sends bytes and the end, and reads until the other side ends too. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {})
  socket.end(bytes, 'latin1')
  await once(socket, 'close').catch(() => {})
  return answer
}

/** What is left of a value in JSON. */
function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null')
}

/** The key that an Idempotency-Key header names: a string as RFC 8941, section 4.2.5 reads it, or bare. */
function keyIn(value: string): string | undefined {
  let key = ''
  if (value[0] === '"') {
    let at = 1
    for (; value[at] !== '"'; at++) {
      if (value[at] === '\\' && !'"\\'.includes(value[++at] ?? ' ')) return undefined
      if (at >= value.length) return undefined
      key += value[at]
    }
    if (at !== value.length - 1) return undefined
  } else {
    key = value
  }
  const isVisible = [...key].every((character) => character > ' ' && character <= '~')
  return isVisible && key.length >= 1 && key.length <= 255 ? key : undefined
}
