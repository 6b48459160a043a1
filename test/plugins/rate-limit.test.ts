// no database: requests are counted before they get to one
import t from 'tap'
import { type App, build, buildOverRedis } from '../support/build.js'
import { timeOutCommands } from '../support/command-timeouts.js'
import { apiKeys, read, write } from '../support/keys.js'
import { RedisServer, redisClient, redisUrl } from '../support/redis-server.js'
import { servedRoutes } from '../support/served-routes.js'
import { shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

t.test('unless it is configured there is no limit', async (t) => {
  const app = await build(t)
  const names = Object.keys((await ask(app)).headers)
  t.strictSame(
    names.filter((name) => name.startsWith('ratelimit')),
    [],
  )
})

t.test('the headers count down, and then it is a 429 with Retry-After', async (t) => {
  const app = await build(t, { rateLimitPerMinute: 2 })
  for (const left of ['1', '0']) {
    const answer = await ask(app)
    t.equal(answer.statusCode, 200)
    t.match(answer.headers, {
      'ratelimit-policy': '"requests";q=2;w=60',
      ratelimit: new RegExp(`^"requests";r=${left};t=([1-9]|[1-5]\\d|60)$`),
      'ratelimit-limit': '2',
      'ratelimit-remaining': left,
    })
  }
  const refused = await ask(app)
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, {
    'content-type': /^application\/problem\+json/,
    'ratelimit-policy': '"requests";q=2;w=60',
    ratelimit: /^"requests";r=0;t=\d+$/,
    'ratelimit-limit': '2',
    'ratelimit-remaining': '0',
    'ratelimit-reset': /^([1-9]|[1-5]\d|60)$/,
    'retry-after': /^([1-9]|[1-5]\d|60)$/,
  })
  t.match(refused.json(), { status: 429, detail: /More than 2 requests in a minute/ })
})

t.test('a hit has its limit, over the network, too, and so has its 304', async (t) => {
  const app = await build(t, { rateLimitPerMinute: 20 })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const { path } of shownViews) {
    await fetch(url + path)
    const hit = await fetch(url + path)
    const headers = { 'if-none-match': hit.headers.get('etag') as string }
    for (const answer of [hit, await fetch(url + path, { headers })]) {
      t.match(answer.headers.get('cache-status'), /; hit;/)
      t.match(answer.headers.get('ratelimit'), /^"requests";r=\d+;t=\d+$/)
      t.equal(answer.headers.get('ratelimit-policy'), '"requests";q=20;w=60')
    }
  }
})

t.test('every route counts, from cache too, and paths that do not exist', async (t) => {
  const app = await build(t, { rateLimitPerMinute: 2 })
  const asked = [...(await servedRoutes()), { method: 'GET', path: '/nothing' }]
  const unlimited = new Set<string>()
  for (const [index, { method, path: url }] of asked.entries()) {
    // A client for each.
    const remoteAddress = `192.0.2.${index}`
    const request = { method: method as 'GET', url, remoteAddress }
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await app.inject(request)).statusCode)
    t.notOk(statuses.slice(0, 2).includes(429), `${method} ${url}`)
    if (statuses[2] !== 429) unlimited.add(url)
  }
  t.strictSame([...unlimited].sort(), ['/livez', '/metrics', '/readyz', '/status'])
})

t.test('probes and metrics are not counted, and answered beyond the limit', async (t) => {
  const app = await build(t, { rateLimitPerMinute: 1 })
  for (const url of ['/livez', '/readyz', '/metrics', '/status', '/status']) {
    t.equal((await ask(app, {}, url)).statusCode, 200)
  }
  t.equal((await ask(app)).statusCode, 200)
  t.equal((await ask(app)).statusCode, 429)
  for (const url of ['/livez', '/readyz', '/metrics', '/status']) {
    t.equal((await ask(app, {}, url)).statusCode, 200)
  }
})

t.test('each key has a count of its own; wrong keys have that of their address', async (t) => {
  const app = await build(t, { apiKeys, rateLimitPerMinute: 1 })
  t.equal((await ask(app, read)).statusCode, 200)
  t.equal((await ask(app, read)).statusCode, 429)
  t.equal((await ask(app, write)).statusCode, 200)
  t.equal((await ask(app, { authorization: 'Bearer a' })).statusCode, 401)
  t.equal((await ask(app, { authorization: 'Bearer b' })).statusCode, 429)
  const elsewhere = { remoteAddress: '192.0.2.1' }
  t.equal((await app.inject({ url: '/employees', ...elsewhere })).statusCode, 401)
})

t.test('processes that share a Redis share the count', async (t) => {
  const config = { redisUrl: await redisUrl(t), apiKeys: named('shared'), rateLimitPerMinute: 3 }
  const apps = [await buildOverRedis(t, config), await buildOverRedis(t, config)] as const
  const answers = []
  for (const app of [...apps, ...apps]) answers.push((await ask(app, read)).statusCode)
  t.strictSame(answers, [200, 200, 200, 429])
})

t.test('while Redis is away requests pass, and each process counts for itself', async (t) => {
  const server = await RedisServer.start(t)
  const app = await buildOverRedis(t, { redisUrl: server.url, rateLimitPerMinute: 2 })
  t.equal((await ask(app)).statusCode, 200)
  timeOutCommands()
  server.signal('SIGSTOP')
  t.match(await ask(app), { statusCode: 200, headers: { 'ratelimit-remaining': '1' } })
  t.equal(app.redisState(), 'away')
  t.equal((await ask(app)).statusCode, 200)
  t.equal((await ask(app)).statusCode, 429)

  server.signal('SIGCONT')
  await until(() => app.redisState() === 'ok')
  t.match(await ask(app), { statusCode: /200|429/, headers: { 'ratelimit-limit': '2' } })
})

t.test('a count in Redis ends with its minute', async (t) => {
  const server = await RedisServer.start(t)
  const app = await buildOverRedis(t, { redisUrl: server.url, rateLimitPerMinute: 5 })
  await ask(app)
  await ask(app)
  const left = await app.redis.pttl('rate_limit:ip:127.0.0.1')
  t.ok(left > 0 && left <= 60_000)
})

t.test('a count in Redis without an end locks nobody out for ever', async (t) => {
  const server = await RedisServer.start(t)
  const app = await buildOverRedis(t, { redisUrl: server.url, rateLimitPerMinute: 5 })
  await redisClient(t, server.url).set('rate_limit:ip:127.0.0.1', '1000')
  t.match(await ask(app), { statusCode: 429, headers: { 'retry-after': '60' } })
  const left = await app.redis.pttl('rate_limit:ip:127.0.0.1')
  t.ok(left > 0 && left <= 60_000)
})

/** The keys under names that a Redis shared with other runs does not know. */
function named(prefix: string) {
  return apiKeys.map((key) => ({
    ...key,
    name: `${prefix}-${process.pid}-${Date.now()}-${key.name}`,
  }))
}

function ask(app: App, headers: Record<string, string> = {}, url = '/employees') {
  return app.inject({ url, headers })
}
