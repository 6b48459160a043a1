import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import t from 'tap'
import { newDatabase } from '../support/any-database.js'
import { type App, build, buildOverRedis } from '../support/build.js'
import { redisUrl } from '../support/redis-server.js'
import { shownViews } from '../support/shown-views.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('unless it is configured nothing is told of it', async (t) => {
  const app = await build(t)
  for (const { path } of shownViews) {
    for (let count = 0; count < 2; count++) t.strictSame(await phasesOf(app, path), [])
  }
})

t.test('a miss tells of its fill, and a hit of no more than what it asked', async (t) => {
  const app = await build(t, { serverTiming: true })
  for (const { path } of shownViews) {
    t.strictSame(await phasesOf(app, path), ['probe', 'l1', 'db', 'fill'])
    t.strictSame(await phasesOf(app, path), ['probe', 'l1'])
  }
})

t.test('over Redis it tells of that, too', async (t) => {
  const config = { redisUrl: await redisUrl(t), serverTiming: true, rateLimitPerMinute: 600 }
  const app = await buildOverRedis(t, config)
  for (const { path } of shownViews) {
    t.strictSame(await phasesOf(app, path), ['redis', 'probe', 'l1', 'db', 'fill'])
    t.strictSame(await phasesOf(app, path), ['redis', 'probe', 'l1'])
  }
})

t.test('each of many that share a probe tells of its own way', async (t) => {
  const app = await build(t, { serverTiming: true })
  const path = `${shownViews[0]?.path}`
  await phasesOf(app, path)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const told = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const answer = await fetch(url + (index % 2 ? path : '/employees/1'))
      await answer.arrayBuffer()
      return answer.headers.get('server-timing')
    }),
  )
  for (const [index, timing] of told.entries()) {
    const expected = index % 2 ? /^probe;dur=[\d.]+, l1;dur=[\d.]+$/ : /^db;dur=\d+\.\d{3}$/
    t.match(timing, expected)
  }
})

t.test('who asks with one that has the view already tells of a fill of its own', async (t) => {
  const databaseUrl = await newDatabase(t)
  const path = `${shownViews[0]?.path}`
  const { headers } = await (await build(t, { databaseUrl })).inject(path)
  const app = await build(t, { databaseUrl, serverTiming: true })
  const known = { url: path, headers: { 'if-none-match': `${headers.etag}` } }
  const [first, second] = await Promise.all([app.inject(known), app.inject(path)])
  t.equal(first.statusCode, 304)
  t.match(first.headers['server-timing'], /^probe;dur=[\d.]+, l1;dur=[\d.]+$/)
  t.match(second.headers['server-timing'], /^probe;.*, l1;.*, db;.*, fill;/)
})

t.test('a body that comes late is told of, and what is not found', async (t) => {
  const app = await build(t, { serverTiming: true })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const headers = { 'content-type': 'application/json' }
  const post = request(`${url}/employees`, { method: 'POST', headers, agent: false })
  const arrived = once(app.server, 'request')
  post.flushHeaders()
  await arrived
  post.end(JSON.stringify(ada))
  const [created] = (await once(post, 'response')) as [IncomingMessage]
  t.equal(created.resume().statusCode, 201)
  t.match(created.headers['server-timing'], /^db;dur=/)
  const missing = await fetch(`${url}/employees/7`)
  t.match(missing.headers.get('server-timing'), /^db;dur=/)
})

async function phasesOf(app: App, path: string): Promise<string[]> {
  const { headers, statusCode } = await app.inject(path)
  if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`)
  const timing = headers['server-timing'] as string | undefined
  return timing?.split(', ').map((each) => each.replace(/;.*/, '')) ?? []
}
