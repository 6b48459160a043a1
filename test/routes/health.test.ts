import t from 'tap'
import { build, buildOverRedis } from '../support/build.js'
import { freePort } from '../support/free-port.js'
import { loseDatabase } from '../support/lose-database.js'
import { redisUrl } from '../support/redis-server.js'
import { until } from '../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('/livez says that the process is up', async (t) => {
  const app = await build(t)
  const answer = await app.inject('/livez')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ok' })
})

t.test('/readyz without a Redis is ok, and says that it is off', async (t) => {
  const app = await build(t)
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ok', database: 'ok', redis: 'off' })
})

t.test('/readyz with its Redis is ok', async (t) => {
  const app = await buildOverRedis(t, { redisUrl: await redisUrl(t) })
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ok', database: 'ok', redis: 'ok' })
})

t.test('/readyz with its Redis away is degraded, and still a 200', async (t) => {
  const app = await build(t, { redisUrl: `redis://127.0.0.1:${await freePort()}` })
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'degraded', database: 'ok', redis: 'away' })
})

t.test('/readyz without its database is no 200, and /livez is', async (t) => {
  const app = await build(t)
  await loseDatabase(app.db, app.config.databaseUrl)
  const answer = await app.inject('/readyz')
  t.match(answer.json(), { status: /^50/, instance: '/readyz' })
  t.equal((await app.inject('/livez')).statusCode, 200)
})

t.test('/metrics is Prometheus text', async (t) => {
  const app = await build(t)
  const answer = await app.inject('/metrics')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const comment = /^# (HELP|TYPE) [a-zA-Z_:][\w:]* .+$/
  const label = '[a-zA-Z_]\\w*="(?:[^"\\\\]|\\\\.)*"'
  const value = '(?:Na[Nn]|[+-]Inf|-?\\d[\\d.e+-]*)'
  const sample = new RegExp(
    `^[a-zA-Z_:][\\w:]*(?:\\{${label}(?:,${label})*\\})? ${value}(?: \\d+)?$`,
  )
  const lines = answer.body.split('\n').filter((line) => line !== '')
  t.strictSame(
    lines.filter((line) => !comment.test(line) && !sample.test(line)),
    [],
  )
  t.match(answer.body, /^process_resident_memory_bytes \d/m)
})

t.test('/metrics counts requests by route and status, never by URL', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada])
  for (const id of [1, 2, 3]) await app.inject(`/employees/${id}`)
  for (const path of ['/nowhere', '/somewhere']) await app.inject(path)

  const count = 'http_request_duration_seconds_count'
  const expected = [
    `${count}{method="GET",route="/employees/:id",status="200"} 1`,
    `${count}{method="GET",route="/employees/:id",status="404"} 2`,
    `${count}{method="GET",route="unknown",status="404"} 2`,
  ]
  const metrics = async () => (await app.inject('/metrics')).body
  for (const line of expected) await until(async () => (await metrics()).includes(line))
  t.notMatch(await metrics(), /nowhere|somewhere|employees\/1/)
})
