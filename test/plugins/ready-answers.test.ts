import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { build } from '../support/build.js'
import { shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

/** Of the connection, which none has that is injected; and what is another one for each request. */
const OWN = ['connection', 'keep-alive', 'date', 'x-request-id']
const CODINGS = ['identity', 'br', 'zstd', 'gzip']

t.test('a hit over the network is byte for byte what Fastify makes of it', async (t) => {
  for (const config of [{}, { compression: false }, { viewMaxStalenessMs: 20 }]) {
    const { url, app } = await listening(t, config)
    for (const { path } of shownViews) {
      await app.inject(path)
      for (const coding of CODINGS) {
        const headers = { 'accept-encoding': coding }
        await until(async () => {
          const { headers: made } = await app.inject({ url: path, headers })
          return config.compression === false || (made['content-encoding'] ?? 'identity') === coding
        })
        const ready = await get(url, path, headers)
        const made = await app.inject({ url: path, headers })
        const what = `${path}, ${coding}, ${JSON.stringify(config)}`
        t.equal(ready.status, 200, what)
        t.match(ready.headers['cache-status'], /^employees; hit; ttl=\d+; detail=near/, what)
        t.strictSame(shown(ready.headers), shown(made.headers), what)
        t.strictSame(ready.body, made.rawPayload, what)

        const condition = { ...headers, 'if-none-match': `W/${made.headers.etag}` }
        const known = await get(url, path, condition)
        const madeKnown = await app.inject({ url: path, headers: condition })
        t.equal(known.status, 304, what)
        t.strictSame(shown(known.headers), shown(madeKnown.headers), what)
        t.equal(known.body.length, 0, what)
      }
      const head = await get(url, path, {}, 'HEAD')
      const { rawPayload } = await app.inject(path)
      t.equal(head.headers['content-length'], `${rawPayload.length}`)
    }
  }
})

t.test('a hit bears the id of its request, and is logged and measured as any answer', async (t) => {
  const { url, app } = await listening(t, {})
  for (const { path } of shownViews) {
    await app.inject(path)
    const before = await count(path)
    const { headers } = await get(url, path, { 'x-request-id': 'mine' })
    t.equal(headers['x-request-id'], 'mine')
    await until(async () => (await count(path)) === before + 1)
  }

  async function count(path: string): Promise<number> {
    const metrics = (await app.inject('/metrics')).body
    const line = metrics
      .split('\n')
      .find((line) =>
        line.startsWith(
          `http_request_duration_seconds_count{method="GET",route="${path}",status="200"}`,
        ),
      )
    return Number(line?.split(' ').at(-1))
  }
})

t.test('what waits of a hit for several clients is known to be one body', async (t) => {
  const { url, app } = await listening(t, {})
  const sent: object[] = []
  app.slowReaders.sends = (_socket, body) => void sent.push(body)
  for (const { path } of shownViews) {
    await app.inject(path)
    sent.length = 0
    for (let client = 0; client < 2; client++) await get(url, path, {})
    t.equal(sent.length, 2)
    t.equal(sent[0], sent[1])
  }
})

t.test('what a hook has put on an answer is on a hit', async (t) => {
  const { url, app } = await listening(t, { corsOrigins: ['https://app.example'] })
  for (const { path } of shownViews) {
    await app.inject(path)
    const answer = await get(url, path, { origin: 'https://app.example' })
    t.match(answer.headers, {
      'access-control-allow-origin': 'https://app.example',
      vary: 'Origin, accept-encoding',
      'cache-status': /detail=near/,
    })
  }
})

t.test('a header that something else has put on the answer itself is there once', async (t) => {
  const { url, app } = await listening(t, {})
  app.server.prependListener('request', (_request, response) => {
    response.setHeader('cache-control', 'no-transform')
  })
  for (const { path } of shownViews) {
    await app.inject(path)
    const { headers } = await get(url, path, {})
    t.equal(headers['cache-control'], 'private, no-cache')
    t.match(headers['cache-status'], /detail=near/)
  }
})

t.test('a client that wants the connection ended gets a hit, and its end', async (t) => {
  const { url, app } = await listening(t, {})
  for (const { path } of shownViews) {
    await app.inject(path)
    for (const head of [
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close`,
      `GET ${path} HTTP/1.0`,
    ]) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(`${head}\r\n\r\n`)
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk) => {
        text += chunk
      })
      await once(socket, 'end')
      t.match(text, /^HTTP\/1\.1 200 OK\r\n/, head)
      t.match(text, /\r\nConnection: close\r\n/, head)
      t.match(text, /detail=near/, head)
    }
  }
})

t.test('a client of HTTP/1.0 is told how long a hit is, and may keep its connection', async (t) => {
  const { url, app } = await listening(t, {})
  for (const { path } of shownViews) {
    const { rawPayload } = await app.inject(path)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk
    })
    for (let answers = 1; answers <= 2; answers++) {
      socket.write(`GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`)
      await until(() => text.split(rawPayload.toString('latin1')).length > answers)
    }
    socket.destroy()
    t.match(text, /detail=near/)
    const lengths = text.match(/\r\ncontent-length: \d+\r\n/gi) ?? []
    t.strictSame(
      lengths.map((line) => Number(line.trim().split(' ')[1])),
      [rawPayload.length, rawPayload.length],
    )
    t.equal(text.match(/\r\nconnection: keep-alive\r\n/gi)?.length, 2)
  }
})

async function listening(t: Test, config: Partial<Config>) {
  const app = await build(t, config)
  for (let i = 0; i < 20; i++) {
    const payload = {
      name: `Somebody ${i}`,
      salary: 150_000 + i,
      department: `Department ${i % 10}`,
    }
    await app.inject({ method: 'POST', url: '/employees', payload })
  }
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

async function get(url: string, path: string, headers: Record<string, string>, method = 'GET') {
  const sent = request(url + path, { method, headers, agent: false })
  sent.end()
  const [answer] = await once(sent, 'response')
  const body = Buffer.concat(await answer.toArray())
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body }
}

function shown(headers: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OWN.includes(name))
      .map(([name, value]) => [name, `${value}`.replace(/ttl=\d+/, 'ttl')]),
  )
}
