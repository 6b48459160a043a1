import { setImmediate as turn } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import t, { type Test } from 'tap'
import { type App, build } from '../support/build.js'
import { until } from '../support/until.js'

t.test('a heap near its limit: 503 with Retry-After, until there is room again', async (t) => {
  const app = await build(t)
  const usage = process.memoryUsage()
  let heapUsed = 0.91 * getHeapStatistics().heap_size_limit
  const memoryUsage = Object.assign(() => ({ ...usage, heapUsed }), process.memoryUsage)
  t.intercept(process, 'memoryUsage', { value: memoryUsage })
  await refuses(t, app)
  heapUsed = usage.heapUsed
  await until(async () => (await app.inject('/employees')).statusCode === 200)
})

t.test('an event loop that never catches up: 503, until it does', async (t) => {
  const app = await build(t)
  while (!app.isUnderPressure()) {
    const end = performance.now() + 1100
    while (performance.now() < end);
    await turn()
  }
  await refuses(t, app)
  await until(async () => (await app.inject('/employees')).statusCode === 200)
})

async function refuses(t: Test, app: App) {
  await until(() => app.isUnderPressure())
  for (const url of ['/employees', '/employees/high-salary', '/nothing', '/docs']) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 503, url)
    t.match(answer.headers, { 'content-type': /^application\/problem\+json/, 'retry-after': '5' })
    t.match(answer.json(), { status: 503, detail: /overloaded/, instance: url })
  }
  for (const url of ['/livez', '/readyz', '/metrics']) {
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
}
