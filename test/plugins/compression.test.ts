import { once } from 'node:events'
import { get } from 'node:http'
import t, { type Test } from 'tap'
import { views } from '../../drizzle/registry.js'
import { cacheKey } from '../../src/cache/cache-key.js'
import { type ContentCoding, ENCODERS } from '../../src/http/content-coding.js'
import { newDatabase } from '../support/any-database.js'
import { type App, build, buildOverRedis } from '../support/build.js'
import { DECODERS } from '../support/decoders.js'
import { redisClient, redisUrl } from '../support/redis-server.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

const CODINGS = Object.keys(ENCODERS) as ContentCoding[]
const ENCODE = { br: ENCODERS.br.encode, zstd: ENCODERS.zstd.encode, gzip: ENCODERS.gzip.encode }

for (const { path, view } of shownViews) {
  t.test(`${path}: the people of these tests give it more than a packet`, async (t) => {
    const app = await build(t)
    await fill(app)
    t.ok((await app.inject(path)).rawPayload.length > 1024, 'else fill() must know whom it shows')
  })

  for (const coding of CODINGS) {
    t.test(
      `${path}: as it is at first, then by ${coding}, made once for each version`,
      async (t) => {
        const app = await build(t)
        await fill(app)
        const made = count(t, coding)
        const headers = { 'accept-encoding': coding }
        const first = await app.inject({ url: path, headers })
        t.equal(first.headers['content-encoding'], undefined)
        t.equal(first.headers.vary, 'accept-encoding')

        const coded = await codedBy(app, path, coding)
        t.strictSame(DECODERS[coding](coded.rawPayload), first.rawPayload)
        t.ok(coded.rawPayload.length < first.rawPayload.length / 3)
        t.equal(coded.headers['content-length'], `${coded.rawPayload.length}`)
        t.equal(coded.headers.vary, 'accept-encoding')
        t.match(coded.headers['cache-status'], /hit; ttl=\d+; detail=near$/)
        t.equal(
          coded.headers.etag,
          first.headers.etag?.toString().replace(/"$/, `-${ENCODERS[coding].suffix}"`),
        )
        const head = await app.inject({ method: 'HEAD', url: path, headers })
        t.match(head.headers, { etag: coded.headers.etag, 'content-encoding': coding })

        t.equal(
          (await app.inject(path)).rawPayload.length,
          first.rawPayload.length,
          'who asks for none',
        )
        t.equal(made(), 1)
        await createUntilChanged(await shellOf(t, app), view, (payload) => create(app, payload))
        const changed = await codedBy(app, path, coding)
        t.strictSame(DECODERS[coding](changed.rawPayload), (await app.inject(path)).rawPayload)
        t.not(changed.headers.etag, coded.headers.etag)
        t.equal(made(), 2)
      },
    )
  }

  t.test(
    `${path}: whoever has it in any form is told 304, under the tag that it has`,
    async (t) => {
      const app = await build(t)
      await fill(app)
      const identity = (await app.inject(path)).headers.etag as string
      const coded = (await codedBy(app, path, 'br')).headers.etag as string
      for (const tag of [identity, coded]) {
        for (const accept of [undefined, 'br', 'gzip']) {
          for (const condition of [tag, `W/${tag}`, `"other", ${tag}`]) {
            const headers = {
              'if-none-match': condition,
              ...(accept && { 'accept-encoding': accept }),
            }
            const answer = await app.inject({ url: path, headers })
            t.equal(answer.statusCode, 304)
            t.match(answer.headers, { etag: tag, vary: 'accept-encoding' })
            t.notOk(answer.headers['content-encoding'])
          }
        }
      }
      await createUntilChanged(await shellOf(t, app), view, (payload) => create(app, payload))
      for (const tag of [identity, coded]) {
        t.equal(
          (await app.inject({ url: path, headers: { 'if-none-match': tag } })).statusCode,
          200,
        )
      }
    },
  )

  t.test(
    `${path}: what one process has compressed is taken by another, and goes with its version`,
    async (t) => {
      const url = await redisUrl(t)
      const databaseUrl = await newDatabase(t)
      const one = await buildOverRedis(t, { redisUrl: url, databaseUrl })
      await fill(one)
      const { rawPayload } = await codedBy(one, path, 'br')
      const redis = redisClient(t, url)
      const key = `${cacheKey(view.name, await one.views.version(view))}:br`
      await until(() => redis.exists(key))

      const made = count(t, 'br')
      const other = await buildOverRedis(t, { redisUrl: url, databaseUrl })
      t.strictSame((await codedBy(other, path, 'br')).rawPayload, rawPayload)
      t.equal(made(), 0)
      await createUntilChanged(await shellOf(t, one), view, (payload) => create(one, payload))
      await until(async () => (await redis.exists(key)) === 0)
    },
  )
}

t.test('a body that fits into a packet is sent as it is', async (t) => {
  const app = await build(t)
  await create(app, { name: 'Ada', salary: 200_000, department: 'Engineering' })
  const made = count(t, 'gzip')
  for (let i = 0; i < 3; i++) {
    const { headers } = await ask(app, '/employees/high-salary', 'gzip')
    t.equal(headers['content-encoding'], undefined)
  }
  t.equal(made(), 0)
})

t.test('an answer that varies by its origin, too, says both', async (t) => {
  const app = await build(t, { corsOrigins: ['https://app.example'] })
  const headers = { origin: 'https://app.example', 'accept-encoding': 'gzip' }
  const answer = await app.inject({ url: '/employees/high-salary', headers })
  t.equal(answer.headers.vary, 'Origin, accept-encoding')
})

t.test('COMPRESSION=off compresses nothing', async (t) => {
  const app = await build(t, { compression: false })
  await fill(app)
  const made = count(t, 'gzip')
  for (const path of [...shownViews.map(({ path }) => path), '/employees']) {
    for (let i = 0; i < 2; i++) {
      const { headers } = await ask(app, path, 'gzip')
      t.notOk(headers['content-encoding'] ?? headers.vary)
    }
  }
  t.equal(made(), 0)
})

t.test('what compresses badly, or not at all, is sent as it is', async (t) => {
  const app = await build(t)
  await fill(app)
  for (const encode of [
    async (body: Buffer) => Buffer.concat([body, body]),
    () => Promise.reject(new Error('no memory')),
  ]) {
    const made = count(t, 'gzip', encode)
    await create(app, { name: 'x', salary: 1e9, department: 'd' })
    await ask(app, '/employees/high-salary', 'gzip')
    await until(() => made() === 1)
    const answer = await ask(app, '/employees/high-salary', 'gzip')
    t.equal(answer.headers['content-encoding'], undefined)
    t.equal(answer.statusCode, 200)
    t.equal(made(), 1)
  }
})

t.test('few are compressed at once, and a large one only when it rests', async (t) => {
  const app = await build(t)
  await fill(app)
  const waiting: (() => void)[] = []
  const encode = (body: Buffer) =>
    new Promise<Buffer>((resolve) => waiting.push(() => resolve(body.subarray(0, 100))))
  for (const coding of CODINGS) count(t, coding, encode)
  for (const coding of CODINGS) await ask(app, '/employees/high-salary', coding)
  t.equal(waiting.length, 2)
  for (const done of waiting.splice(0)) done()
  await until(async () => {
    await ask(app, '/employees/high-salary', CODINGS[2] as string)
    return waiting.length === 1
  })
  waiting[0]?.()

  await app.employees.createMany(
    Array.from({ length: 1500 }, () => ({ name: 'n', salary: 200_000, department: 'd' })),
  )
  const made = count(t, 'gzip')
  for (let salary = 300_000; salary < 300_010; salary++) {
    await app.inject({ method: 'PATCH', url: '/employees/1', payload: { salary } })
    await ask(app, '/employees/high-salary', 'gzip')
    await ask(app, '/employees/high-salary', 'gzip')
  }
  t.ok(made() < 10, 'not each of them')
  await codedBy(app, '/employees/high-salary', 'gzip')
})

for (const coding of CODINGS) {
  t.test(
    `the list is compressed by ${coding} as it is sent, and ends with its client`,
    async (t) => {
      const app = await build(t)
      await fill(app, 20_000)
      const identity = await app.inject('/employees')
      const answer = await ask(app, '/employees', coding)
      t.equal(answer.headers['content-encoding'], coding)
      t.equal(answer.headers.vary, 'accept-encoding')
      t.strictSame(DECODERS[coding](answer.rawPayload), identity.rawPayload)
      t.ok(answer.rawPayload.length < identity.rawPayload.length / 3)
      const headers = { 'accept-encoding': coding }
      const head = await app.inject({ method: 'HEAD', url: '/employees', headers })
      t.match(head.headers, { vary: 'accept-encoding', 'content-encoding': coding })

      const { list } = app.employees
      const closed = new Promise((resolve) => {
        app.employees.list = async (query) => (await list(query)).once('close', () => resolve(true))
      })
      const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/employees`
      const leaving = get(url, { agent: false, headers: { 'accept-encoding': coding } })
      leaving.on('error', () => {})
      const [response] = await once(leaving, 'response')
      response.once('data', () => leaving.destroy())
      t.equal(await closed, true)
    },
  )
}

t.ok(views.length >= 2)

async function fill(app: App, employees = 200): Promise<void> {
  await app.employees.createMany(
    Array.from({ length: employees }, (_, i) => ({
      name: `Somebody ${i}`,
      // Whatever a view is about, it shows many of them.
      salary: i % 2 === 0 ? i : 150_000 + i,
      department: `Department ${i % 100}`,
    })),
  )
}

function create(app: App, payload: object) {
  return app.inject({ method: 'POST', url: '/employees', payload })
}

function ask(app: App, url: string, coding: string) {
  return app.inject({ url, headers: { 'accept-encoding': coding } })
}

/** The answer once it is there in a coding. */
async function codedBy(app: App, path: string, coding: ContentCoding) {
  let answer = await ask(app, path, coding)
  await until(async () => {
    answer = await ask(app, path, coding)
    return answer.headers['content-encoding'] === coding
  })
  return answer
}

/** Counts from now on how often something is compressed, perhaps in another way. */
function count(t: Test, coding: ContentCoding, encode = ENCODE[coding]): () => number {
  t.teardown(() => Object.assign(ENCODERS[coding], { encode: ENCODE[coding] }))
  let times = 0
  ENCODERS[coding].encode = (body) => {
    times++
    return encode(body)
  }
  return () => times
}
