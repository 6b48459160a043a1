// slow: it holds the event loop for seconds
// no database: it is the process that has too much to do, and refuses before it asks one
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { App } from '../support/build.js'
import { buildSampled, fillHeap } from '../support/overload.js'
import { servedRoutes } from '../support/served-routes.js'
import { until } from '../support/until.js'

/** What is answered all the same. */
const MONITORING = ['/livez', '/readyz', '/metrics', '/status']

/** Every route, but HEAD, whose answer has no body to look at; and what has none. */
const asked = [
  ...(await servedRoutes()).filter(({ method }) => method !== 'HEAD'),
  { method: 'GET', path: '/nothing' },
]
for (const url of MONITORING)
  t.ok(
    asked.some(({ path }) => path === url),
    url,
  )

t.test('a heap near its limit: 503 with Retry-After, until there is room again', async (t) => {
  const { app, sample } = await buildSampled(t)
  const heap = fillHeap(t)
  sample()
  await refuses(t, app)
  heap.empty()
  await serves(app, sample)
})

t.test('an event loop that never catches up: 503, until it does', async (t) => {
  const { app, sample } = await buildSampled(t)
  while (!app.isUnderPressure()) {
    const end = performance.now() + 1100
    while (performance.now() < end);
    await turn()
    sample()
  }
  await refuses(t, app)
  await serves(app, sample)
})

async function refuses(t: Test, app: App) {
  t.ok(app.isUnderPressure())
  for (const { method, path: url } of asked) {
    const answer = await app.inject({ method: method as 'GET', url })
    if (MONITORING.includes(url)) {
      t.equal(answer.statusCode, 200, url)
      continue
    }
    t.equal(answer.statusCode, 503, `${method} ${url}`)
    t.match(answer.headers, { 'content-type': /^application\/problem\+json/, 'retry-after': '5' })
    t.match(answer.json(), { status: 503, detail: /overloaded/, instance: url })
  }
}

/** Resolves when it answers again. */
async function serves(app: App, sample: () => void) {
  await until(async () => {
    await delay(50) // Between two looks the event loop has to be seen turning.
    sample()
    return (await app.inject('/employees')).statusCode === 200
  })
}
