// slow: requests wait for a server
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { build } from '../../support/build.js'
import { FaultProxy } from '../../support/fault-proxy.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { shownViews } from '../../support/shown-views.js'
import { until } from '../../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

/** Whatever needs the database. */
const requests: InjectOptions[] = [
  { url: '/employees/1' },
  { url: '/employees' },
  { url: '/employees?limit=1' },
  { url: '/employees?limit=1&department=Engineering' },
  { method: 'POST', url: '/employees', payload: ada },
  { method: 'PUT', url: '/employees/1', payload: { salary: 1 } },
  { method: 'DELETE', url: '/employees/1' },
  { url: '/readyz' },
  ...shownViews.map(({ path }) => ({ url: path })),
]

for (const fault of ['refuse', 'blackhole'] as const) {
  t.test(`${fault}: whoever needs the database has a 503 in time, and it comes back`, async (t) => {
    const proxy = await FaultProxy.start(t, await postgresDatabase(t))
    const app = await build(t, { databaseUrl: proxy.url })
    await app.inject({ method: 'POST', url: '/employees', payload: ada })
    proxy.fault = fault
    await Promise.all(
      requests.map(async (request) => {
        const started = performance.now()
        const { statusCode, body } = await app.inject(request)
        const ms = performance.now() - started
        const name = `${request.method ?? 'GET'} ${request.url}`
        t.equal(statusCode, 503, `${name}: ${body}`)
        t.ok(ms < 3500, `${name} in ${ms} ms`)
      }),
    )
    proxy.fault = 'none'
    await until(async () => (await app.inject('/employees/1')).statusCode === 200)
  })
}
