// slow: it runs two releases under load
import t from 'tap'
import { newDatabase } from '../support/any-database.js'
import { ProjectCopy } from '../support/project-copy.js'
import { RedisServer } from '../support/redis-server.js'
import { Service } from '../support/service.js'
import { until } from '../support/until.js'
import { Load } from './run.js'

t.setTimeout(240_000)

t.test(
  'a rolling deploy under load, and back, shows no stale view and costs no request',
  async (t) => {
    const next = await ProjectCopy.create(t)
    // Another definition of a view, which shows more; as it is built, since no type is another one.
    const definition = 'dist/drizzle/views/high-salary.js'
    const built = await next.read(definition)
    t.match(built, '100_000')
    await next.write(definition, built.replace('100_000', '90_000'))
    const redis = await RedisServer.start(t)
    const env = { DATABASE_URL: await newDatabase(t), REDIS_URL: redis.url, LOG_LEVEL: 'info' }
    const start = {
      old: () => Service.start(t, env),
      new: () => Service.start(t, env, [process.execPath, `${next.directory}/dist/src/server.js`]),
    }

    const running = [await start.old(), await start.old()]
    // What a load balancer leads to.
    const urls = running.map(({ url }) => url)
    const load = new Load(t, urls)
    await load.createWriters()
    const loading = load.run(0)
    const moreReads = async () => {
      const { checkedReads } = load.history
      await until(() => load.history.checkedReads > checkedReads + 200)
    }

    const replace = async (release: keyof typeof start) => {
      const started = await start[release]()
      await until(async () => (await fetch(`${started.url}/readyz`)).ok)
      urls.push(started.url)
      await moreReads()
      const left = running.shift() as Service
      running.push(started)
      const ended = left.stop()
      // It serves for half a second more, in which a balancer learns to look elsewhere.
      await until(async () => !(await fetch(`${left.url}/readyz`)).ok)
      urls.splice(urls.indexOf(left.url), 1)
      t.equal(await ended, 0, 'it closes in order')
      t.strictSame(left.errors.filter(isFailure), [])
      await moreReads()
    }
    for (const release of ['new', 'new', 'old', 'old'] as const) await replace(release)

    load.stop()
    await loading
    const { checkedReads, acknowledgedWrites, violations } = load.history
    t.comment(`${checkedReads} reads checked, ${acknowledgedWrites} writes`)
    t.strictSame(violations, [])
    t.strictSame(load.failures, [])
    for (const service of running) t.strictSame(service.errors.filter(isFailure), [])
  },
)

/** But not that it was asked whether it is ready while it closed. */
function isFailure(line: string): boolean {
  return JSON.parse(line)['error.code'] !== 'CLOSING'
}
