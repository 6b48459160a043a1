import t, { type Test } from 'tap'
import { type App, build, buildOverRedis } from '../support/build.js'
import { freePort } from '../support/free-port.js'
import { apiKeys, entries, read, readKey, write } from '../support/keys.js'
import { loseDatabase } from '../support/lose-database.js'
import { redisUrl } from '../support/redis-server.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

interface Status {
  at: string
  startedAt: string
  employees?: { count: number; countedAt: string }
  views: View[]
}
interface View {
  name: string
  path: string
  changes?: number
  changedAt?: string
  answers: Record<string, number>
  fill?: { what: string; at: string; seconds: number }
}

t.test('it tells of the service, and of every view of the registry', async (t) => {
  const app = await build(t)
  const answer = await app.inject('/status')
  t.equal(answer.headers['cache-control'], 'private, no-cache')
  const status = answer.json()
  const { version } = app.swagger().info
  t.match(status, { version, workers: 1, database: 'ok', redis: 'off', employees: { count: 0 } })
  const { at, startedAt } = status as Status
  t.ok(Date.parse(startedAt) < Date.parse(at))
  t.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
  const views = shownViews.map(({ view: { name }, path }) => ({ name, path }))
  t.strictSame(
    (status as Status).views.map(({ name, path }) => ({ name, path })),
    views,
  )
})

for (const { view, path } of shownViews) {
  t.test(`${view.name}: answers by their source, the last read and the last change`, async (t) => {
    const app = await build(t)
    const shell = await shellOf(t, app)
    const none = await of(t, app, view.name)
    t.equal(none.fill, undefined)
    t.strictSame([...new Set(Object.values(none.answers))], [0])

    const etag = (await app.inject(path)).headers.etag as string
    for (let i = 0; i < 2; i++) await app.inject(path)
    await app.inject({ url: path, headers: { 'if-none-match': etag } })
    const asked = await of(t, app, view.name)
    t.match(asked, { answers: { stored: 1, near: 2, not_modified: 1 }, fill: { what: 'whole' } })
    t.ok((asked.fill?.seconds as number) > 0)

    const before = await of(t, app, view.name)
    await createUntilChanged(shell, view, app.employees.create)
    const changed = await of(t, app, view.name)
    t.ok((changed.changes as number) > (before.changes as number))
    t.ok((changed.changedAt as string) > (before.changedAt as string))
  })
}

t.test('it is made once a second, and anew for a write of its process', async (t) => {
  const app = await build(t)
  const first = await ask(app)
  t.equal((await ask(app)).at, first.at)
  await app.inject({ method: 'POST', url: '/employees', payload: ada })
  const second = await ask(app)
  t.not(second.at, first.at)
  await until(async () => (await ask(app)).at !== second.at)
})

t.test('employees are counted', async (t) => {
  const app = await build(t)
  await app.employees.createMany(Array.from({ length: 1200 }, () => ada))
  await until(async () => (await ask(app)).employees?.count === 1200)
  const { at, employees } = await ask(app)
  t.ok(Math.abs(Date.parse(at) - Date.parse(employees?.countedAt as string)) < 60_000)
})

t.test('it says that its database is away, and is a 200', async (t) => {
  const app = await build(t)
  await loseDatabase(app.db, app.config.databaseUrl)
  const answer = await app.inject('/status')
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { database: 'away' })
  const { employees, views } = answer.json() as Status
  t.equal(employees, undefined)
  t.equal(views.length, shownViews.length)
  for (const { changes, changedAt, answers } of views) {
    t.strictSame([changes, changedAt], [undefined, undefined])
    t.equal(answers.near, 0)
  }
})

t.test('it says whether its Redis is there', async (t) => {
  const away = await build(t, { redisUrl: `redis://127.0.0.1:${await freePort()}` })
  t.match((await away.inject('/status')).json(), { database: 'ok', redis: 'away' })
  const here = await buildOverRedis(t, { redisUrl: await redisUrl(t) })
  t.match((await here.inject('/status')).json(), { redis: 'ok' })
})

t.test('with keys it needs one, of any role', async (t) => {
  const app = await build(t, { apiKeys })
  t.equal((await app.inject('/status')).statusCode, 401)
  for (const headers of [read, write])
    t.equal((await app.inject({ url: '/status', headers })).statusCode, 200)
})

t.test('it is small, and tells nothing of employees, keys or clients', async (t) => {
  const app = await build(t, { apiKeys })
  await app.employees.createMany([ada, { ...ada, salary: 77_777.25, name: 'Grace' }])
  for (const { path } of shownViews) await app.inject({ url: path, headers: read })
  const { body } = await app.inject({ url: '/status', headers: read, remoteAddress: '192.0.2.7' })
  t.ok(body.length < 500 + 500 * shownViews.length, `${body.length} bytes`)
  for (const text of [
    'Ada',
    'Grace',
    '120000',
    '77777',
    'Engineering',
    readKey,
    entries,
    'reader',
    '192.0.2',
  ])
    t.notOk(body.includes(text), text)
})

async function ask(app: App): Promise<Status> {
  return (await app.inject('/status')).json()
}

/** What it tells of a view, once what was known before is over. */
async function of(t: Test, app: App, name: string): Promise<View> {
  const { at } = await ask(app)
  let status = await ask(app)
  await until(async () => {
    status = await ask(app)
    return status.at !== at
  })
  const view = status.views.find((view) => view.name === name)
  if (!view) t.bailout(`no view ${name}`)
  return view as View
}
