// slow: each of its services is a process
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { Agent, get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { newDatabase, onSqlite } from './support/any-database.js'
import { build, temporaryDirectory } from './support/build.js'
import { freePort } from './support/free-port.js'
import { entries } from './support/keys.js'
import { Service } from './support/service.js'
import { openShell } from './support/shell.js'
import { expectedRows, shownViews } from './support/shown-views.js'
import { until } from './support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} ends it with 0, and the next start reads what it has left`, async (t) => {
    const env = { DATABASE_URL: await newDatabase(t) }
    const first = await Service.start(t, env)
    await post(first, ada)
    t.equal(await first.stop(signal), 0)
    const second = await Service.start(t, env)
    const list = await fetch(`${second.url}/employees`)
    t.strictSame(await list.json(), [{ id: 1, ...ada }])
  })
}

t.test(
  'SQLite: it makes a file in folders of its own, and leaves no other',
  onSqlite,
  async (t) => {
    const directory = join(await temporaryDirectory(t), 'made', 'by', 'it')
    const service = await Service.start(t, {
      DATABASE_URL: `file:${join(directory, 'employees.db')}`,
    })
    await post(service, ada)
    t.ok((await readdir(directory)).includes('employees.db-wal'))
    t.equal(await service.stop(), 0)
    t.strictSame(await readdir(directory), ['employees.db'])
  },
)

t.test('a newer release that left what this one reads: it starts, to roll back', async (t) => {
  const DATABASE_URL = await newDatabase(t)
  await (await build(t, { databaseUrl: DATABASE_URL })).close()
  const shell = await openShell(t, DATABASE_URL)
  await shell.run('ALTER TABLE employees ADD COLUMN title text')
  await shell.run("INSERT INTO migrations VALUES ('9999_names.sql', '2999-01-01')")
  const { url } = await Service.start(t, { DATABASE_URL })
  t.equal((await fetch(`${url}/employees`)).status, 200)
})

t.test('a slow client that keeps its connection has its answer, and holds up no end', async (t) => {
  const databaseUrl = await newDatabase(t)
  const app = await build(t, { databaseUrl })
  // Far more than the buffers of two sockets.
  const count = 30_000
  const long = { name: '📏'.repeat(100), salary: 1, department: '📏'.repeat(100) }
  await app.employees.createMany(Array.from({ length: count }, () => long))
  await app.close()

  const service = await Service.start(t, { DATABASE_URL: databaseUrl })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const request = get(`${service.url}/employees`, { agent })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const exit = service.stop()
  await until(() => isRefused(`${service.url}/livez`))
  t.equal(JSON.parse(await text(response)).length, count)
  t.equal(await exit, 0)
})

t.test('it starts and answers without its Redis', async (t) => {
  const databaseUrl = await newDatabase(t)
  const service = await Service.start(t, {
    DATABASE_URL: databaseUrl,
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  })
  await post(service, ada)
  const shell = await openShell(t, databaseUrl)
  for (const { view, path } of [...shownViews, ...shownViews]) {
    const answer = await fetch(`${service.url}${path}`)
    t.strictSame(await answer.json(), await expectedRows(shell, view), view.name)
  }
  t.strictSame(await (await fetch(`${service.url}/employees`)).json(), [{ id: 1, ...ada }])
  const ready = await fetch(`${service.url}/readyz`)
  t.equal(ready.status, 200)
  t.match(await ready.json(), { status: 'degraded', redis: 'away' })
})

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(`without keys one line of its log warns (${WEB_CONCURRENCY} processes)`, async (t) => {
    const DATABASE_URL = await newDatabase(t)
    for (const [keys, expected] of [
      [{}, 1],
      [{ API_KEYS: entries }, 0],
    ] as const) {
      const service = await Service.start(t, { DATABASE_URL, WEB_CONCURRENCY, ...keys })
      t.equal(service.warnings.length, expected)
      if (expected > 0)
        t.match(service.warnings[0], /No keys .*every salary.*npm run key -- NAME ROLE/)
      await service.stop()
    }
  })
}

function isRefused(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  )
}

async function post({ url }: Service, employee: object): Promise<void> {
  const response = await fetch(`${url}/employees`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(employee),
  })
  if (response.status !== 201) throw new Error(await response.text())
}
