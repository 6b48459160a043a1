// slow: it holds the event loop for seconds
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import v8 from 'node:v8'
import t, { type Test } from 'tap'
import { type App, build } from '../support/build.js'
import { servedRoutes } from '../support/served-routes.js'
import { until } from '../support/until.js'

/** How often the service looks how it is doing. */
const SAMPLE_MS = 5000

/** What is answered all the same. */
const MONITORING = ['/livez', '/readyz', '/metrics']

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
  const { app, sample } = await start(t)
  const statistics = v8.getHeapStatistics()
  let used_heap_size = 0.91 * statistics.heap_size_limit
  t.intercept(v8, 'getHeapStatistics', { value: () => ({ ...statistics, used_heap_size }) })
  syncBuiltinESMExports()
  sample()
  await refuses(t, app)
  used_heap_size = statistics.used_heap_size
  await serves(app, sample)
})

t.test('an event loop that never catches up: 503, until it does', async (t) => {
  const { app, sample } = await start(t)
  while (!app.isUnderPressure()) {
    const end = performance.now() + 1100
    while (performance.now() < end);
    await turn()
    sample()
  }
  await refuses(t, app)
  await serves(app, sample)
})

/** The service, and what has it look at once how it is doing. */
async function start(t: Test) {
  const { setInterval } = globalThis
  const looks: (() => void)[] = []
  const value = (look: () => void, ms: number) => {
    if (ms === SAMPLE_MS) looks.push(look)
    return setInterval(look, ms)
  }
  const intercepted = t.intercept(globalThis, 'setInterval', { value })
  const app = await build(t)
  intercepted.restore()
  t.ok(looks.length > 0, 'it looks every 5 s')
  const sample = () => {
    for (const look of looks) look()
  }
  return { app, sample }
}

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
