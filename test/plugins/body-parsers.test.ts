import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { build } from '../support/build.js'
import { servedRoutes } from '../support/served-routes.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const LIMIT = 64 * 1024

const requests = [
  { method: 'POST', url: '/employees' },
  { method: 'PUT', url: '/employees/1' },
  { method: 'PATCH', url: '/employees/1' },
] as const

for (const request of requests) {
  const { method } = request

  t.test(`a ${method} whose body is no JSON is a 400 at /body`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const bodies = [
      '',
      ' ',
      '{',
      '{"name":',
      "{'name':'Ada'}",
      '{"salary":NaN}',
      '{}{}',
      '{"a":1,}',
    ]
    for (const payload of bodies) {
      const headers = { 'content-type': 'application/json' }
      const answer = await app.inject({ ...request, payload, headers })
      t.match(answer.json(), { status: 400, errors: [{ path: '/body', message: /JSON/ }] }, payload)
    }
    const nothing = await app.inject(request)
    t.match(nothing.json(), { status: 400, errors: [{ path: '/body' }] }, 'no body, no type')
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
  })

  t.test(`a ${method} whose body is in a coding is a 415`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const payload = JSON.stringify({ ...ada, name: 'Grace' })
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const answer = await app.inject({ ...request, payload, headers })
    t.match(answer.json(), { status: 415, detail: /^Content-Encoding: / })
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
    const plain = { ...headers, 'content-encoding': 'Identity' }
    t.ok((await app.inject({ ...request, payload, headers: plain })).statusCode < 300)
  })

  t.test(`a ${method} whose body is not valid UTF-8 is a 400, never U+FFFD`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const faults = {
      'a byte of Latin-1': [0xe9],
      'a lone continuation': [0x80],
      'a sequence cut short': [0xf0, 0x9f, 0x98],
      'an overlong slash': [0xc0, 0xaf],
      'a surrogate': [0xed, 0xa0, 0x80],
      'beyond U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
    }
    for (const [what, bytes] of Object.entries(faults)) {
      const payload = Buffer.concat([
        Buffer.from('{"salary":1,"department":"Engineering","name":"Zo'),
        Buffer.from(bytes),
        Buffer.from('"}'),
      ])
      const headers = { 'content-type': 'application/json' }
      const answer = await app.inject({ ...request, payload, headers })
      t.match(answer.json(), { status: 400, errors: [{ path: '/body', message: /UTF-8/ }] }, what)
    }
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
  })

  t.test(`a ${method} takes 64 KiB and no more`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const headers = { 'content-type': 'application/json' }
    const json = JSON.stringify(ada)
    const largest = await app.inject({ ...request, payload: json.padEnd(LIMIT), headers })
    t.match(largest.json(), ada)

    const payload = JSON.stringify({ ...ada, name: 'Grace' }).padEnd(LIMIT + 1)
    const refused = await app.inject({ ...request, payload, headers })
    t.equal(refused.statusCode, 413)
    t.match(refused.json(), { status: 413, title: String, detail: /large/ })
    t.notMatch((await app.inject('/employees')).body, /Grace/)
  })

  t.test(`a ${method} that is nested too deeply is a 400 with its own word`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const headers = { 'content-type': 'application/json' }
    for (const depth of [33, 10_000, 30_000]) {
      for (const [open, close] of [
        ['[', ']'],
        ['{"name":', '}'],
      ] as const) {
        const levels = open === '[' ? depth : Math.min(depth, 7000)
        const payload = `${open.repeat(levels)}1${close.repeat(levels)}`
        const answer = await app.inject({ ...request, payload, headers })
        t.match(answer.json(), {
          status: 400,
          errors: [{ path: '/body', message: /nested too deeply: at most 32 levels/ }],
        })
      }
    }
    const shallow = await app.inject({ ...request, payload: '{"name":[[{"a":[]}]]}', headers })
    t.match(shallow.json(), { status: 400, detail: /\/body\/name must be string, got \[\[\{/ })
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
  })

  t.test(`a ${method} takes JSON, whatever it says about the character set`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/json;x',
    ]) {
      const payload = JSON.stringify({ ...ada, name: 'Zoë' })
      const answer = await app.inject({ ...request, payload, headers: { 'content-type': type } })
      t.equal(answer.json().name, 'Zoë', type)
    }
  })

  t.test(`a ${method} of any other media type is a 415`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/jsonp',
      'application/json-patch+json',
      'text/json',
      '*/*',
      'json',
    ]
    if (method !== 'PATCH') types.push('application/merge-patch+json')
    for (const type of types) {
      const headers = { 'content-type': type }
      const answer = await app.inject({ ...request, payload: '{"name":"Grace"}', headers })
      t.match(answer.json(), { status: 415 }, type)
    }
    const untyped = await app.inject({ ...request, payload: '{"name":"Grace"}' })
    t.match(untyped.json(), { status: 415 }, 'no type')
    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }])
  })
}

t.test('a DELETE with a JSON content type and no body is an ordinary DELETE', async (t) => {
  const app = await build(t)
  const types = ['application/json', 'application/json; charset=utf-8', undefined]
  await app.employees.createMany(types.map(() => ada))
  for (const [index, type] of types.entries()) {
    const headers = type === undefined ? {} : { 'content-type': type }
    const answer = await app.inject({ method: 'DELETE', url: `/employees/${index + 1}`, headers })
    t.equal(answer.body, '{"message":"Deleted"}', type ?? 'no type')
  }
  const headers = { 'content-type': 'application/json' }
  const nobody = await app.inject({ method: 'DELETE', url: '/employees/99', headers })
  t.equal(nobody.statusCode, 404)
})

t.test(
  'whoever names the type of a body and sends none is answered as if it were empty',
  async (t) => {
    const app = await build(t)
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const headers = { 'content-type': 'application/json', connection: 'close' }
    for (const { method, path } of [
      ...(await servedRoutes()),
      { method: 'POST', path: '/nothing' },
    ]) {
      const socket = connect(Number(port), '127.0.0.1')
      const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${head.join('')}\r\n`)
      const [status] = /(?<=^HTTP\/1.1 )\d+/.exec(await text(socket)) ?? []
      const injected = await app.inject({ method: method as 'GET', url: path, headers })
      t.equal(Number(status), injected.statusCode, `${method} ${path}`)
    }
  },
)
