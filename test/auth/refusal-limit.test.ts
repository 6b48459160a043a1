// no database: who is refused gets no further
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MAX_ADDRESSES, MAX_REFUSALS, RefusalLimit } from '../../src/auth/refusal-limit.js'
import { type App, build } from '../support/build.js'
import { apiKeys, read } from '../support/keys.js'

t.test('30 requests a minute without a valid key are refused, and then it is a 429', async (t) => {
  const app = await build(t, { apiKeys })
  t.equal(MAX_REFUSALS, 30)
  for (let count = 1; count <= 30; count++) {
    const headers = count % 2 ? {} : { authorization: `Bearer guess-${count}` }
    t.equal((await ask(app, '/employees', headers)).statusCode, 401)
  }
  for (const url of ['/employees', '/employees/high-salary', '/metrics', '/status', '/nothing']) {
    for (const headers of [{}, { authorization: 'Bearer guess' }]) {
      const answer = await ask(app, url, headers)
      t.equal(answer.statusCode, 429, url)
      t.match(answer.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
      t.match(answer.headers, {
        'ratelimit-policy': '"refusals";q=30;w=60',
        ratelimit: /^"refusals";r=0;t=\d+$/,
        'ratelimit-limit': '30',
        'ratelimit-remaining': '0',
      })
      t.match(answer.json(), { status: 429, detail: /More than 30 requests without a valid key/ })
    }
    if (url !== '/nothing') t.equal((await ask(app, url, read)).statusCode, 200, 'a valid key')
  }
  for (const url of ['/livez', '/readyz', '/', '/docs', '/openapi.json']) {
    t.equal((await ask(app, url)).statusCode, 200, `${url} is public`)
  }
  t.equal((await ask(app, '/employees', {}, '192.0.2.1')).statusCode, 401, 'another address')
})

t.test('the minute begins with the first refusal, and then it is 401 again', async (t) => {
  const app = await build(t, { apiKeys })
  for (let count = 1; count <= 31; count++) await ask(app, '/employees')
  await pass(t, 59_000)
  t.match(await ask(app, '/employees'), { statusCode: 429, headers: { 'retry-after': '1' } })
  await pass(t, 2000)
  t.equal((await ask(app, '/employees')).statusCode, 401)
})

t.test('whoever has 64 bits of IPv6 addresses is one client', async (t) => {
  const app = await build(t, { apiKeys })
  for (let count = 1; count <= 30; count++) await ask(app, '/employees', {}, `2001:db8::${count}`)
  t.equal((await ask(app, '/employees', {}, '2001:db8::ffff:1')).statusCode, 429)
  t.equal((await ask(app, '/employees', {}, '2001:db8:0:1::1')).statusCode, 401)
})

t.test('addresses that are remembered are bounded: the oldest is forgotten', async (t) => {
  const limit = new RefusalLimit()
  for (let count = 0; count < MAX_REFUSALS; count++) limit.count('first')
  t.ok(limit.count('first') > 0)
  for (let count = 0; count < MAX_ADDRESSES; count++) limit.count(`${count}`)
  t.equal(limit.count('first'), 0)
})

t.test('X-Forwarded-For is believed of proxies that are trusted, and of nobody else', async (t) => {
  const cases: [trustProxy: boolean | number | string[], forwarded: string, status: number][] = [
    [false, '$', 429],
    [true, '$', 401],
    [1, '$', 401],
    [1, '$, 198.51.100.1', 429],
    [2, '$, 198.51.100.1', 401],
    [['127.0.0.0/8'], '$', 401],
    [['127.0.0.0/8', '198.51.100.1'], '$, 198.51.100.1', 401],
    [['127.0.0.0/8'], '$, 198.51.100.1', 429],
    [['10.0.0.0/8'], '$', 429],
    // Of no use as an address: then it is that of the proxy.
    [true, 'client-$', 429],
  ]
  for (const [trustProxy, forwarded, status] of cases) {
    const app = await build(t, { apiKeys, trustProxy })
    const statuses = []
    for (let count = 1; count <= 31; count++) {
      const headers = { 'x-forwarded-for': forwarded.replace('$', `192.0.2.${count}`) }
      statuses.push((await ask(app, '/employees', headers)).statusCode)
    }
    t.equal(statuses.at(-1), status, `${trustProxy}: ${forwarded}`)
  }
})

t.test('the rate limit counts by the same address', async (t) => {
  for (const [trustProxy, status] of [
    [false, 429],
    [true, 200],
  ] as const) {
    const app = await build(t, { trustProxy, rateLimitPerMinute: 1 })
    await ask(app, '/employees', { 'x-forwarded-for': '192.0.2.1' })
    const answer = await ask(app, '/employees', { 'x-forwarded-for': '192.0.2.2' })
    t.equal(answer.statusCode, status)
  }
})

/** Sets the clock of lru-cache forward, which looks at it once in a millisecond. */
async function pass(t: Test, milliseconds: number): Promise<void> {
  const { now } = performance
  performance.now = () => now.call(performance) + milliseconds
  t.teardown(() => Object.assign(performance, { now }))
  await delay(5)
}

function ask(app: App, url: string, headers = {}, remoteAddress = '127.0.0.1') {
  return app.inject({ url, headers, remoteAddress })
}
