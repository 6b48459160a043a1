import { once } from 'node:events'
import { get } from 'node:http'
import t, { type Test } from 'tap'
import { defineView, type View } from '../../drizzle/define-view.js'
import { highSalary } from '../../drizzle/views/high-salary.js'
import { top2ByDepartment } from '../../drizzle/views/top2-by-department.js'
import { buildApp } from '../../src/app.js'
import { cacheKey } from '../../src/cache/cache-key.js'
import { entryOf } from '../../src/cache/stored-entry.js'
import { readConfig } from '../../src/config.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import type { NewEmployee } from '../../src/store/store.js'
import { newDatabase } from '../support/any-database.js'
import { type App, build, buildOverRedis } from '../support/build.js'
import { RedisServer, redisClient, redisUrl } from '../support/redis-server.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, expectedRows, shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

const MISS = 'employees; fwd=miss; stored'
const PARTS = 'employees; fwd=miss; detail=parts'
const NEAR = /^employees; hit; ttl=\d+; detail=near$/
const REDIS = /^employees; hit; ttl=\d+; detail=redis$/

/** In Redis it stands between the key and the answer. */
const SIGNATURE_BYTES = 32

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const low = { name: 'Low', salary: 1, department: 'Engineering' }

/** Those whose answers are as long as there are people on top. */
const OF_EMPLOYEES = new Set<View>([highSalary, top2ByDepartment])

for (const { path, view } of shownViews) {
  const afterChange = view.definition.parts ? PARTS : MISS
  const status = async (app: App, headers = {}) =>
    (await app.inject({ url: path, headers })).headers['cache-status']

  t.test(`${path}: a miss is stored in Redis with a TTL, then hits are near`, async (t) => {
    const url = await redisUrl(t)
    const app = await buildOverRedis(t, { redisUrl: url })
    await create(app, ada)

    const miss = await app.inject(path)
    t.equal(miss.headers['cache-status'], MISS)
    t.equal(miss.headers['cache-control'], 'private, no-cache')
    t.strictSame(miss.json(), await expected(t, app, view))
    const hit = await app.inject(path)
    t.match(hit.headers['cache-status'], NEAR)
    t.equal(hit.body, miss.body)
    t.equal(hit.headers.etag, miss.headers.etag)

    const redis = redisClient(t, url)
    const key = await keyOf(app, view)
    await until(() => redis.exists(key))
    const entry = (await redis.getBuffer(key)) as Buffer
    t.equal(entry.subarray(0, key.length + 1).toString(), `${key}\n`)
    const { body } = entryOf(entry.subarray(key.length + 1 + SIGNATURE_BYTES))
    t.equal(body.whole().toString(), miss.body)
    const ttl = await redis.ttl(key)
    t.ok(ttl > 0 && ttl <= 300, `the key lives for ${ttl} s`)
    if (OF_EMPLOYEES.has(view)) t.ok(ttl > 250, `the key lives for ${ttl} s`)
  })

  t.test(`${path}: a relevant write evicts, one that changes nothing does not`, async (t) => {
    const url = await redisUrl(t)
    const app = await buildOverRedis(t, { redisUrl: url })
    const redis = redisClient(t, url)
    await create(app, ada)
    await create(app, { ...ada, salary: 110_000 })
    await app.inject(path)
    const key = await keyOf(app, view)
    await until(() => redis.exists(key))

    await app.inject({ method: 'PUT', url: '/employees/1', payload: ada })
    if (OF_EMPLOYEES.has(view)) await create(app, low)
    t.equal(await redis.exists(key), 1, 'still there')
    t.match(await status(app), NEAR)

    await change(t, app, view)
    t.not(await keyOf(app, view), key)
    await until(async () => (await redis.exists(key)) === 0)
    t.equal(await status(app), afterChange)
    t.strictSame((await app.inject(path)).json(), await expected(t, app, view))
  })

  t.test(`${path}: what one process stored is a hit for another`, async (t) => {
    const url = await redisUrl(t)
    const databaseUrl = await newDatabase(t)
    const one = await buildOverRedis(t, { redisUrl: url, databaseUrl })
    const other = await buildOverRedis(t, { redisUrl: url, databaseUrl })
    await create(one, ada)
    t.equal(await status(one), MISS)
    const redis = redisClient(t, url)
    const key = await keyOf(one, view)
    await until(() => redis.exists(key))

    t.match(await status(other), REDIS)
    t.match(await status(other), NEAR)
    await change(t, other, view)
    const seen = (await one.inject(path)).json()
    t.strictSame(seen, await expected(t, one, view), 'and a write on one is seen on the other')
  })

  t.test(`${path}: who can write to Redis cannot give an answer`, async (t) => {
    const url = await redisUrl(t)
    const databaseUrl = await newDatabase(t)
    const apps = []
    for (let i = 0; i < 3; i++) apps.push(await buildOverRedis(t, { redisUrl: url, databaseUrl }))
    const [one, two, three] = apps as [App, App, App]
    await create(one, ada)
    await one.inject(path)
    const redis = redisClient(t, url)
    const key = await keyOf(one, view)
    await until(() => redis.exists(key))

    const warnings: object[] = []
    two.log.warn = (line: object) => warnings.push(line)
    const forged = Buffer.concat([
      ((await redis.getBuffer(key)) as Buffer).subarray(0, key.length + 1 + SIGNATURE_BYTES),
      Buffer.from('[{"id":1,"name":"Mallory","salary":1000000,"department":"Engineering"}]'),
    ])
    await redis.set(key, forged, 'EX', 300)
    const answer = await two.inject(path)
    t.equal(answer.headers['cache-status'], MISS)
    t.strictSame(answer.json(), await expected(t, two, view))
    t.strictSame(warnings, [{ key }])
    t.match((await two.inject('/metrics')).body, /failures_total{reason="forged"} 1$/m)
    t.equal(two.redisState(), 'ok')

    await until(async () => !forged.equals((await redis.getBuffer(key)) as Buffer))
    t.match(await status(three), REDIS, 'the fill has taken the place of the forgery')
    t.strictSame((await three.inject(path)).json(), answer.json())
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
    const { read } = app.views
    let failures = 1
    app.views.read = async (each) => {
      if (failures-- > 0) throw new Error('once')
      return read(each)
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
      const { read } = app.views
      const begun = new Promise<void>((resolve) => {
        app.views.read = async (each) => {
          app.views.read = read
          const stream = await read(each)
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
    const before = await expected(t, app, view)
    const { read } = app.views
    app.views.read = async (each) => {
      app.views.read = read
      const stream = await read(each)
      await change(t, app, view)
      return stream
    }
    const slow = await app.inject(path)
    t.equal(slow.headers['cache-status'], 'employees; fwd=miss')
    t.strictSame(slow.json(), before, 'it began before the write')
    t.strictSame((await app.inject(path)).json(), await expected(t, app, view))
    t.equal(await redisClient(t, url).exists(old), 0)
  })

  t.test(`${path}: HEAD is answered like GET, and stores what GET would`, async (t) => {
    const app = await build(t)
    await create(app, ada)
    const head = await app.inject({ method: 'HEAD', url: path })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    t.equal(head.headers['cache-status'], MISS)
    const get = await app.inject(path)
    t.match(get.headers['cache-status'], NEAR)
    t.equal(head.headers['content-length'], `${get.rawPayload.length}`)
    t.equal(head.headers.etag, get.headers.etag)
    t.strictSame(get.json(), await expected(t, app, view))
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
    await change(t, app, view)
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
    await change(t, dying, view)
    t.equal(await status(dying), afterChange)
    t.match(await status(dying), NEAR)
    t.strictSame((await dying.inject(path)).json(), await expected(t, dying, view))
    t.match((await dying.inject('/readyz')).json(), { status: 'degraded', redis: 'away' })

    await server.start()
    await until(() => dying.redisState() === 'ok')
    await change(t, dying, view)
    t.equal(await status(dying), afterChange)
    const redis = redisClient(t, server.url)
    const key = await keyOf(dying, view)
    await until(() => redis.exists(key))
    t.match((await dying.inject('/readyz')).json(), { status: 'ok', redis: 'ok' })
  })

  if (!OF_EMPLOYEES.has(view)) continue
  t.test(`${path}: a body of several segments is sent as any other`, async (t) => {
    const app = await build(t)
    await fill(
      app,
      Array.from({ length: 10_000 }, () => ({ ...ada, name: 'n'.repeat(50) })),
    )
    const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}${path}`
    for (const expectedStatus of [MISS, NEAR, PARTS, NEAR]) {
      if (expectedStatus === PARTS) await change(t, app, view)
      const answer = await fetch(url, { headers: { 'accept-encoding': 'identity' } })
      t.match(answer.headers.get('cache-status'), expectedStatus)
      const body = Buffer.from(await answer.arrayBuffer())
      t.ok(body.length > 1024 * 1024)
      t.equal(answer.headers.get('content-length'), `${body.length}`)
      t.ok(body.equals(Buffer.from(JSON.stringify(await expected(t, app, view)))))
      const head = await app.inject({ method: 'HEAD', url: path })
      t.match(head.headers, {
        'content-length': `${body.length}`,
        etag: answer.headers.get('etag'),
      })
      t.equal((await app.inject(path)).rawPayload.length, body.length)
    }
  })

  t.test(`${path}: a body past 16 MiB is streamed whole and cached nowhere`, async (t) => {
    const app = await build(t)
    const name = 'n'.repeat(100)
    const department = 'd'.repeat(100)
    await fill(
      app,
      Array.from({ length: 70_000 }, () => ({ name, salary: 200_000, department })),
    )
    for (let i = 0; i < 2; i++) {
      const answer = await app.inject(path)
      t.equal(answer.headers['cache-status'], 'employees; fwd=miss')
      t.ok(answer.rawPayload.length > 16 * 1024 * 1024)
      t.equal(answer.json().length, 70_000)
    }
  })
}

t.test('another route is cached by its config alone, for as long as that says', async (t) => {
  const app = await unready(t)
  app.get('/again', { config: { cache: { view: highSalary, ttl: 7 } } }, () =>
    app.views.read(highSalary),
  )
  await create(app, ada)
  t.equal((await app.inject('/again')).headers['cache-status'], MISS)
  const hit = await app.inject('/again')
  t.equal(hit.headers['cache-status'], 'employees; hit; ttl=7; detail=near')
  t.strictSame(hit.json(), [{ id: 1, ...ada }])
  await create(app, { ...ada, salary: 130_000 })
  t.equal((await app.inject('/again')).json().length, 2)
})

t.test('a route for a view that is in no file of drizzle/views does not start', async (t) => {
  const nothing = defineView('nothing', { reads: ['id'], sql: 'SELECT id FROM employees' })
  for (const config of [{ view: nothing }, { cache: { view: nothing, ttl: 1 } }]) {
    const app = await unready(t)
    app.get('/nothing', { config }, () => 'nothing')
    await t.rejects(async () => app.ready(), /No file in drizzle\/views defines nothing/)
  }
})

t.test('a cached route must return a view', async (t) => {
  const app = await unready(t)
  const cache = { view: top2ByDepartment, ttl: 1 }
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

/** Very many at once, which would take SQLite long one by one. */
async function fill({ db, employees }: App, rows: NewEmployee[]): Promise<void> {
  if (db.dialect === 'sqlite') await bulkLoad(db.drizzle.$client, rows)
  else await employees.createMany(rows)
}

/** A service to which routes may still be added. */
async function unready(t: Test) {
  const config = readConfig({ LOG_LEVEL: 'silent' })
  const app = await buildApp({ ...config, databaseUrl: await newDatabase(t) })
  t.teardown(() => app.close())
  return app
}

async function change(t: Test, app: App, view: View): Promise<void> {
  await createUntilChanged(await shellOf(t, app), view, (employee) => create(app, employee))
}

async function expected(t: Test, app: App, view: View): Promise<unknown[]> {
  return expectedRows(await shellOf(t, app), view)
}

async function keyOf(app: App, view: View): Promise<string> {
  return cacheKey(view.name, await app.views.version(view))
}

function countFills(app: App) {
  const fills = { count: 0 }
  const { read } = app.views
  app.views.read = (view) => {
    fills.count++
    return read(view)
  }
  return fills
}
