import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config.js'
import { type App, build, buildOverRedis, temporaryDirectory } from '../support/build.js'
import { RedisServer, redisClient, redisUrl } from '../support/redis-server.js'
import { until } from '../support/until.js'

const MISS = 'employees; fwd=miss; stored'
const NEAR = /^employees; hit; ttl=\d+; detail=near$/
const REDIS = /^employees; hit; ttl=\d+; detail=redis$/

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const low = { name: 'Low', salary: 1, department: 'Engineering' }

const views = [
  { path: '/employees/high-salary', view: 'high_salary_emps' },
  { path: '/employees/top2-by-department', view: 'top2_by_dept' },
]

for (const { path, view } of views) {
  const status = async (app: App, headers = {}) =>
    (await app.inject({ url: path, headers })).headers['cache-status']

  t.test(`${path}: a miss is stored in Redis with a TTL, then hits are near`, async (t) => {
    const url = await redisUrl(t)
    const app = await buildOverRedis(t, { redisUrl: url })
    await create(app, ada)

    const miss = await app.inject(path)
    t.equal(miss.headers['cache-status'], MISS)
    t.equal(miss.headers['cache-control'], 'private, no-cache')
    t.strictSame(miss.json(), [{ id: 1, ...ada }])
    const hit = await app.inject(path)
    t.match(hit.headers['cache-status'], NEAR)
    t.equal(hit.body, miss.body)
    t.equal(hit.headers.etag, miss.headers.etag)

    const redis = redisClient(t, url)
    const key = await keyOf(app, view)
    await until(() => redis.exists(key))
    t.equal(await redis.get(key), `${key}\n${miss.body}`)
    const ttl = await redis.ttl(key)
    t.ok(ttl > 250 && ttl <= 300, `the key lives for ${ttl} s`)
  })

  t.test(`${path}: a relevant write evicts, an irrelevant one does not`, async (t) => {
    const url = await redisUrl(t)
    const app = await buildOverRedis(t, { redisUrl: url })
    const redis = redisClient(t, url)
    await create(app, ada)
    await create(app, { ...ada, salary: 110_000 })
    await app.inject(path)
    const key = await keyOf(app, view)
    await until(() => redis.exists(key))

    await create(app, low)
    t.equal(await redis.exists(key), 1, 'still there')
    t.match(await status(app), NEAR)

    await create(app, { ...ada, name: 'Grace' })
    t.not(await keyOf(app, view), key)
    await until(async () => (await redis.exists(key)) === 0)
    t.equal(await status(app), MISS)
    t.match((await app.inject(path)).body, /Grace/)
  })

  t.test(`${path}: what one process stored is a hit for another`, async (t) => {
    const url = await redisUrl(t)
    const databaseUrl = `file:${join(await temporaryDirectory(t), 'employees.db')}`
    const one = await buildOverRedis(t, { redisUrl: url, databaseUrl })
    const other = await buildOverRedis(t, { redisUrl: url, databaseUrl })
    await create(one, ada)
    t.equal(await status(one), MISS)
    const redis = redisClient(t, url)
    const key = await keyOf(one, view)
    await until(() => redis.exists(key))

    t.match(await status(other), REDIS)
    t.match(await status(other), NEAR)
    await create(other, { ...ada, salary: 130_000 })
    t.equal((await one.inject(path)).json().length, 2, 'and a write on one is seen on the other')
  })

  t.test(`${path}: concurrent misses share one fill`, async (t) => {
    const app = await build(t)
    await create(app, ada)
    const fills = countFills(app)
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.inject(path)))
    t.equal(fills.count, 1)
    const statuses = answers.map(({ headers }) => headers['cache-status'])
    t.equal(statuses.filter((status) => status === MISS).length, 1)
    t.equal(statuses.filter((status) => status === 'employees; fwd=miss; collapsed').length, 19)
    for (const { body } of answers) t.equal(body, answers[0]?.body)
  })

  t.test(`${path}: a fill that fails fails nobody else`, async (t) => {
    const app = await build(t)
    await create(app, ada)
    const { view: read } = app.employees
    let failures = 1
    app.employees.view = async (name) => {
      if (failures-- > 0) throw new Error('once')
      return read(name)
    }
    const answers = await Promise.all(Array.from({ length: 5 }, () => app.inject(path)))
    t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [200, 200, 200, 200, 500])
    t.match(await status(app), NEAR)
  })

  t.test(
    `${path}: a client that leaves in the middle of its fill takes it from nobody`,
    async (t) => {
      const app = await build(t)
      await create(app, ada)
      const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}${path}`
      const left = new Promise((resolve) => {
        app.server.once('connection', (socket) => socket.once('close', resolve))
      })
      const { view: read } = app.employees
      const begun = new Promise<void>((resolve) => {
        app.employees.view = async (name) => {
          app.employees.view = read
          const stream = await read(name)
          resolve()
          await left
          return stream
        }
      })
      const leaving = get(url, { agent: false }).on('error', () => {})
      await begun
      const arrived = once(app.server, 'request')
      const waiting = fetch(url)
      await arrived
      leaving.destroy()
      t.equal((await waiting).headers.get('cache-status'), 'employees; fwd=miss; collapsed')
    },
  )

  t.test(`${path}: a fill that a write overtakes is kept nowhere`, async (t) => {
    const url = await redisUrl(t)
    const app = await buildOverRedis(t, { redisUrl: url })
    await create(app, ada)
    const old = await keyOf(app, view)
    const { view: read } = app.employees
    app.employees.view = async (name) => {
      app.employees.view = read
      const stream = await read(name)
      await app.employees.create({ ...ada, name: 'Grace' })
      return stream
    }
    const slow = await app.inject(path)
    t.equal(slow.headers['cache-status'], 'employees; fwd=miss')
    t.equal(slow.json().length, 1, 'it began before the write')
    t.equal((await app.inject(path)).json().length, 2)
    t.equal(await redisClient(t, url).exists(old), 0)
  })

  t.test(`${path}: HEAD stores no empty body, and is answered like GET`, async (t) => {
    const app = await build(t)
    await create(app, ada)
    const head = await app.inject({ method: 'HEAD', url: path })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    const get = await app.inject(path)
    t.equal(head.headers['content-length'], `${get.rawPayload.length}`)
    t.equal(head.headers.etag, get.headers.etag)
    t.strictSame(get.json(), [{ id: 1, ...ada }])
    const hit = await app.inject({ method: 'HEAD', url: path })
    t.match(hit.headers['cache-status'], NEAR)
    t.equal(hit.headers['content-length'], get.headers['content-length'])
  })

  t.test(`${path}: If-None-Match gives 304 until the view changes`, async (t) => {
    const app = await build(t)
    await create(app, ada)
    const { etag } = (await app.inject(path)).headers
    const headers = { 'if-none-match': etag as string }
    const unchanged = await app.inject({ url: path, headers })
    t.equal(unchanged.statusCode, 304)
    t.equal(unchanged.body, '')
    t.equal(unchanged.headers.etag, etag)
    t.equal(unchanged.headers['cache-control'], 'private, no-cache')
    await create(app, low)
    await create(app, { ...ada, salary: 1e6 })
    const changed = await app.inject({ url: path, headers })
    t.equal(changed.statusCode, 200)
    t.not(changed.headers.etag, etag)
  })

  t.test(`${path}: without Redis, and with one that dies, every answer is right`, async (t) => {
    const none = await build(t)
    const server = await RedisServer.start(t)
    const dying = await buildOverRedis(t, { redisUrl: server.url })
    for (const app of [none, dying]) {
      await create(app, ada)
      t.equal(await status(app), MISS)
      t.match(await status(app), NEAR)
    }
    await server.stop()
    await until(() => dying.redisState() === 'away')
    await create(dying, { ...ada, salary: 130_000 })
    t.equal(await status(dying), MISS)
    t.match(await status(dying), NEAR)
    t.equal((await dying.inject(path)).json().length, 2)
    t.match((await dying.inject('/readyz')).json(), { status: 'degraded', redis: 'away' })

    await server.start()
    await until(() => dying.redisState() === 'ok')
    await create(dying, { ...ada, salary: 140_000 })
    t.equal(await status(dying), MISS)
    const redis = redisClient(t, server.url)
    const key = await keyOf(dying, view)
    await until(() => redis.exists(key))
    t.match((await dying.inject('/readyz')).json(), { status: 'ok', redis: 'ok' })
  })

  t.test(`${path}: a body past 16 MiB is streamed whole and cached nowhere`, async (t) => {
    const app = await build(t)
    const name = 'n'.repeat(100)
    const department = 'd'.repeat(100)
    const batch = Array.from({ length: 1000 }, () => ({ name, salary: 200_000, department }))
    // Not all at once: that would hold the event loop for seconds, and count as overload.
    for (let i = 0; i < 70; i++) await app.employees.createMany(batch)
    for (let i = 0; i < 2; i++) {
      const answer = await app.inject(path)
      t.equal(answer.headers['cache-status'], 'employees; fwd=miss')
      t.ok(answer.rawPayload.length > 16 * 1024 * 1024)
      t.equal(answer.json().length, 70_000)
    }
  })
}

t.test('any other route is cached by its config alone', async (t) => {
  const databaseUrl = `file:${join(await temporaryDirectory(t), 'employees.db')}`
  const migrated = await buildApp({ ...readConfig({ LOG_LEVEL: 'silent' }), databaseUrl })
  migrated.db.$client.exec(`
    CREATE VIEW payroll AS
      SELECT department, sum(salary) AS total FROM employees GROUP BY department;
    INSERT INTO view_versions (view, version) VALUES ('payroll', lower(hex(randomblob(16))));
    CREATE TRIGGER payroll_insert AFTER INSERT ON employees BEGIN
      UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'payroll';
    END;`)
  await migrated.close()

  const app = await buildApp({ ...readConfig({ LOG_LEVEL: 'silent' }), databaseUrl })
  t.teardown(() => app.close())
  app.get('/payroll', { config: { cache: { view: 'payroll', ttl: 7 } } }, () =>
    app.employees.view('payroll'),
  )
  await create(app, ada)
  t.equal((await app.inject('/payroll')).headers['cache-status'], MISS)
  const hit = await app.inject('/payroll')
  t.equal(hit.headers['cache-status'], 'employees; hit; ttl=7; detail=near')
  t.strictSame(hit.json(), [{ department: 'Engineering', total: 120_000 }])
  await create(app, low)
  t.strictSame((await app.inject('/payroll')).json(), [
    { department: 'Engineering', total: 120_001 },
  ])
})

t.test('a cached route for a view that no migration made does not start', async (t) => {
  const app = await buildApp({
    ...readConfig({ LOG_LEVEL: 'silent' }),
    databaseUrl: 'file::memory:',
  })
  t.teardown(() => app.close())
  app.get('/nothing', { config: { cache: { view: 'nothing', ttl: 1 } } }, () => 'nothing')
  await t.rejects(async () => app.ready(), /view_versions has no row for nothing/)
})

t.test('a cached route must return a view', async (t) => {
  const app = await buildApp({
    ...readConfig({ LOG_LEVEL: 'silent' }),
    databaseUrl: 'file::memory:',
  })
  t.teardown(() => app.close())
  const cache = { view: 'top2_by_dept', ttl: 1 }
  app.get('/handmade', { config: { cache } }, () => ({ not: 'a view' }))
  t.equal((await app.inject('/handmade')).statusCode, 500)
})

t.test('If-None-Match on a write is no lookup in the cache', async (t) => {
  const app = await build(t)
  await create(app, ada)
  const { etag } = (await app.inject('/employees/high-salary')).headers
  const headers = { 'if-none-match': etag as string }
  const answer = await app.inject({ method: 'DELETE', url: '/employees/1', headers })
  t.equal(answer.statusCode, 200)
})

async function create(app: App, payload: object): Promise<void> {
  const { statusCode } = await app.inject({ method: 'POST', url: '/employees', payload })
  if (statusCode !== 201) throw new Error(`POST gave ${statusCode}`)
}

async function keyOf(app: App, view: string): Promise<string> {
  return `${view}:1:${await app.employees.version(view)}`
}

function countFills(app: App) {
  const fills = { count: 0 }
  const { view } = app.employees
  app.employees.view = (name) => {
    fills.count++
    return view(name)
  }
  return fills
}
