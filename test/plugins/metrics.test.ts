// slow: Redis goes, and comes back
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { cacheKey } from '../../src/cache/cache-key.js'
import { dialect, onPostgres } from '../support/any-database.js'
import { type App, build, buildOverRedis } from '../support/build.js'
import { timeOutCommands, waitForReplies } from '../support/command-timeouts.js'
import { apiKeys, entries, read, readKey } from '../support/keys.js'
import { loseDatabase } from '../support/lose-database.js'
import { samplesOf } from '../support/prometheus.js'
import { RedisServer, redisClient, redisUrl } from '../support/redis-server.js'
import { servedRoutes } from '../support/served-routes.js'
import { openShell, shellOf } from '../support/shell.js'
import { createUntilChanged, type ShownView, shownViews } from '../support/shown-views.js'
import { snapshotLimits } from '../support/snapshot-limits.js'
import { until } from '../support/until.js'
import { setChangeTimes } from '../support/view-versions.js'

const ada = { name: 'Ada Lovelace', salary: 123_456.789, department: 'Engineering' }

t.test('requests are counted by the pattern of their route, never by its URL', async (t) => {
  const app = await build(t)
  for (const url of [
    '/employees/1',
    '/employees/77?secret=x',
    '/elsewhere/entirely',
    '/elsewhere',
  ]) {
    await app.inject(url)
  }
  const output = await exposition(app)
  const samples = samplesOf(output)
  const count = (labels: string) => samples.get(`http_request_duration_seconds_count{${labels}}`)
  t.equal(count('method="GET",route="/employees/:id",status="404"'), 2)
  t.equal(count('method="GET",route="unknown",status="404"'), 2)
  for (const text of ['/77', 'secret', 'elsewhere']) t.notMatch(output, text)
})

t.test('every route is counted under its own name', async (t) => {
  const app = await build(t)
  const routes = await servedRoutes()
  const count = async (method: string, url: string) => {
    const begin = `http_request_duration_seconds_count{method="${method}",route="${url}",`
    return [...(await figures(app))]
      .filter(([name]) => name.startsWith(begin))
      .reduce((sum, [, value]) => sum + value, 0)
  }
  for (const { method, url, path } of routes) {
    const before = await count(method, url)
    await app.inject({ method: method as 'GET', url: path })
    // To ask for figures is a request as well, which the next ones tell of.
    const own = method === 'GET' && url === '/metrics' ? 1 : 0
    t.equal(await count(method, url), before + 1 + own, `${method} ${url}`)
  }
})

t.test('it tells the release, its Node and the database that it runs over', async (t) => {
  const app = await build(t)
  const { version } = app.swagger().info
  const labels = `version="${version}",node="${process.versions.node}",database="${dialect}"`
  t.equal((await figures(app)).get(`employees_build_info{${labels}}`), 1)
})

t.test('methods that nobody serves share one label', async (t) => {
  const app = await build(t)
  for (const method of ['PROPFIND', 'MKCOL', 'PURGE']) {
    await app.inject({ method: method as 'GET', url: '/employees' })
  }
  const samples = await figures(app)
  t.equal(
    samples.get(
      'http_request_duration_seconds_count{method="other",route="/employees",status="405"}',
    ),
    3,
  )
})

t.test('durations are cumulative in buckets from 50 microseconds to 10 seconds', async (t) => {
  const app = await build(t)
  const start = performance.now()
  for (let i = 0; i < 50; i++) await app.inject('/livez')
  const seconds = (performance.now() - start) / 1000
  const samples = await figures(app)
  const name = 'http_request_duration_seconds'
  const labels = 'method="GET",route="/livez",status="200"'
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{${labels},`))
  const bounds = buckets.map(([key]) => /le="(.*)"/.exec(key)?.[1])
  t.equal(bounds[0], '0.00005')
  t.strictSame(bounds.slice(-2), ['10', '+Inf'])
  const counts = buckets.map(([, count]) => count)
  t.strictSame(
    counts,
    counts.toSorted((a, b) => a - b),
  )
  t.equal(counts.at(-1), 50)
  t.equal(samples.get(`${name}_count{${labels}}`), 50)
  const sum = samples.get(`${name}_sum{${labels}}`) as number
  t.ok(sum > 0 && sum <= seconds, 'in seconds')
})

t.test('cached views tell the source of their answers, and what a fill takes', async (t) => {
  const app = await build(t)
  for (const source of ['near', 'near', 'stored'] as const) {
    app.metrics.viewAnswered('high_salary_emps', source)
  }
  app.metrics.viewFilled('high_salary_emps', 'whole', 0.003)
  const samples = await figures(app)
  const answers = (source: string) =>
    samples.get(`employees_view_answers_total{view="high_salary_emps",source="${source}"}`)
  t.strictSame([answers('near'), answers('stored'), answers('redis')], [2, 1, undefined])
  const bucket = (le: string) =>
    samples.get(`employees_view_fill_seconds_bucket{view="high_salary_emps",le="${le}"}`)
  t.strictSame([bucket('0.0025'), bucket('0.005')], [0, 1])
  t.equal(samples.get('employees_view_fill_seconds_sum{view="high_salary_emps"}'), 0.003)
})

for (const shown of shownViews) {
  const { view, path } = shown

  t.test(`${view.name} tells every source of its answers, and each fill`, async (t) => {
    const redis = await redisUrl(t)
    const first = await buildOverRedis(t, { redisUrl: redis })
    t.strictSame(await sourcesOf(first, shown), {})
    t.equal(await figureOf(first, shown, 'fill_seconds_count'), undefined)

    const { etag } = (await first.inject(path)).headers
    await first.inject(path)
    await first.inject({ method: 'HEAD', url: path })
    await first.inject({ url: path, headers: { 'if-none-match': etag as string } })
    t.strictSame(await sourcesOf(first, shown), { stored: 1, near: 2, not_modified: 1 })
    t.equal(await figureOf(first, shown, 'fill_seconds_count'), 1)
    t.ok(((await figureOf(first, shown, 'fill_seconds_sum')) as number) > 0)

    const key = cacheKey(view.name, await first.views.version(view))
    const client = redisClient(t, redis)
    await until(() => client.exists(key))
    const { databaseUrl } = first.config
    const second = await buildOverRedis(t, { redisUrl: redis, databaseUrl })
    await second.inject(path)
    t.strictSame(await sourcesOf(second, shown), { redis: 1 })
    t.equal(await figureOf(second, shown, 'fill_seconds_count'), undefined, 'no fill')

    await change(t, second, shown)
    await Promise.all([second.inject(path), second.inject(path)])
    const isDivided = view.definition.parts !== undefined
    const source = isDivided ? 'parts' : 'stored'
    t.strictSame(await sourcesOf(second, shown), { redis: 1, [source]: 1, collapsed: 1 })
    t.equal(await figureOf(second, shown, 'parts_seconds_count'), isDivided ? 1 : undefined)
    t.equal(await figureOf(second, shown, 'fill_seconds_count'), isDivided ? undefined : 1)
    const kept = (await second.inject(path)).rawPayload.length
    t.equal(await figureOf(second, shown, 'kept_bytes'), kept)

    await change(t, second, shown)
    const { read, readChanges } = second.views
    second.views.readChanges = async () => undefined
    second.views.read = async (each) => {
      second.views.read = read
      const stream = await read(each)
      await change(t, second, shown)
      return stream
    }
    await second.inject(path)
    second.views.readChanges = readChanges
    t.match(await sourcesOf(second, shown), { passed: 1 }, 'a write overtook it')
    t.equal(await figureOf(second, shown, 'fill_seconds_count'), isDivided ? 1 : 2)
  })

  t.test(`${view.name} tells when it changed, and when it was filled`, async (t) => {
    const app = await build(t)
    const changed = 'changed_timestamp_seconds'
    const filled = 'filled_timestamp_seconds'
    const start = Date.now() / 1000
    // A database of tests may be a copy of one of before.
    t.ok(Math.abs(((await figureOf(app, shown, changed)) as number) - start) < 3600)
    t.equal(await figureOf(app, shown, filled), undefined)

    await setChangeTimes(await shellOf(t, app), 0)
    t.equal(await figureOf(app, shown, changed), 0)
    await change(t, app, shown)
    t.ok(((await figureOf(app, shown, changed)) as number) >= start - 1)
    t.equal(await figureOf(app, shown, filled), undefined, 'nobody has asked')
    await app.inject(path)
    t.ok(((await figureOf(app, shown, filled)) as number) >= start)
    for (const other of shownViews) {
      if (other !== shown) t.equal(await figureOf(app, other, filled), undefined, other.view.name)
    }
  })
}

t.test('cached views tell when they changed, and when they were filled', async (t) => {
  const app = await build(t)
  const time = async (name: string, view: string) =>
    (await figures(app)).get(`employees_view_${name}_timestamp_seconds{view="${view}"}`)
  t.equal(await time('filled', 'high_salary_emps'), undefined)
  const views = ['high_salary_emps', 'top2_by_dept'] as const
  const [high, top] = await Promise.all(views.map((view) => time('changed', view)))
  const start = Date.now() / 1000
  for (const each of [high, top]) t.ok(Math.abs((each as number) - start) < 3600)

  await app.employees.create({ ...ada, salary: 1 })
  t.equal(await time('changed', 'high_salary_emps'), high)
  t.ok(((await time('changed', 'top2_by_dept')) as number) > (top as number))
  await app.inject('/employees/high-salary')
  t.ok(((await time('filled', 'high_salary_emps')) as number) >= start)
  t.equal(await time('filled', 'top2_by_dept'), undefined)
})

t.test('PostgreSQL: queries for versions tell how long they take', onPostgres, async (t) => {
  const app = await build(t)
  for (const { path } of shownViews) await app.inject(path)
  const samples = await figures(app)
  const name = 'employees_database_probe_duration_seconds'
  const probes = samples.get('employees_database_probes_total') as number
  t.ok(probes > 0)
  t.equal(samples.get(`${name}_count`), probes)
  const sum = samples.get(`${name}_sum`) as number
  t.ok(sum > 0 && sum < 10 * probes, 'in seconds')
  t.equal(samples.get('employees_database_retries_total'), 0)
})

t.test('writes that share a transaction are one commit of so many writes', async (t) => {
  const app = await build(t)
  await Promise.all(Array.from({ length: 5 }, () => app.employees.create(ada)))
  await app.employees.create(ada)
  const samples = await figures(app)
  t.equal(samples.get('employees_commit_writes_count'), 2)
  t.equal(samples.get('employees_commit_writes_sum'), 6)
  t.equal(samples.get('employees_commit_writes_bucket{le="1"}'), 1)
  t.equal(samples.get('employees_commit_duration_seconds_count'), 2)
  t.ok((samples.get('employees_commit_duration_seconds_sum') as number) > 0)
  t.equal(samples.get('employees_commit_failures_total'), 0)
})

t.test('a transaction of which nothing was kept is a failure, and no commit', async (t) => {
  const app = await build(t)
  await loseDatabase(app.db, app.config.databaseUrl)
  await t.rejects(app.employees.create(ada))
  const samples = await figures(app)
  t.equal(samples.get('employees_commit_failures_total'), 1)
  t.notOk([...samples.keys()].some((name) => name.startsWith('employees_view_changed_')))
  t.equal(samples.get('employees_commit_writes_count'), 0)
})

t.test('writes wait while another process holds the lock', async (t) => {
  const app = await build(t)
  const other = await openShell(t, app.config.databaseUrl)
  await other.run('BEGIN')
  await other.run("INSERT INTO employees (name, salary, department) VALUES ('Ada', 1, 'Ops')")
  const writes = [app.employees.create(ada)]
  await turn()
  writes.push(app.employees.create(ada), app.employees.create(ada))
  // In PostgreSQL the first one waits inside its transaction.
  const waiting = dialect === 'sqlite' ? 3 : 2
  t.equal((await figures(app)).get('employees_writes_waiting'), waiting)
  await other.run('COMMIT')
  await Promise.all(writes)
  t.equal((await figures(app)).get('employees_writes_waiting'), 0)
})

t.test('reader connections are open while an answer is read, then idle', async (t) => {
  const app = await build(t)
  const readers = async () => {
    const samples = await figures(app)
    return ['{state="open"}', '{state="idle"}', '_limit'].map((suffix) =>
      samples.get(`employees_reader_connections${suffix}`),
    )
  }
  const limit = snapshotLimits.open
  t.strictSame(await readers(), [0, 0, limit])
  const lists = [await app.employees.list({}), await app.employees.list({})]
  t.strictSame(await readers(), [2, 0, limit])
  for (const list of lists) list.destroy()
  await until(async () => (await readers())[0] === 0)
  t.strictSame(await readers(), [0, 2, limit])
})

t.test('Redis is up, goes and comes; what failed is counted', async (t) => {
  const redis = await RedisServer.start(t)
  const app = await buildOverRedis(t, { redisUrl: redis.url })
  const figure = async (suffix: string) => (await figures(app)).get(`employees_redis_${suffix}`)
  t.equal(await figure('up'), 1)
  t.equal(await figure('changes_total{to="here"}'), 1)

  timeOutCommands()
  redis.signal('SIGSTOP')
  await t.rejects(app.redis.unlink('key'), /timed out/)
  t.equal(await figure('failures_total{reason="timeout"}'), 1)
  await until(async () => (await figure('changes_total{to="away"}')) === 1)
  t.equal(await figure('up'), 0)
  redis.signal('SIGCONT')
  await until(async () => (await figure('up')) === 1)
  t.equal(await figure('changes_total{to="here"}'), 2)

  waitForReplies(t)
  const client = redisClient(t, redis.url)
  await client.config('SET', 'maxmemory', '1')
  await t.rejects(app.redis.set('key', Buffer.from('value'), 'PX', 1000), /OOM/)
  t.equal(await figure('failures_total{reason="error"}'), 1)
  t.equal(await figure('failures_total{reason="forged"}'), 0)
})

t.test('without a configured Redis there are no figures of it', async (t) => {
  t.notMatch(await exposition(await build(t)), 'redis_')
})

t.test('an event loop that stands still is late and busy, and an idle one is not', async (t) => {
  const start = performance.now()
  const app = await build(t)
  for (let turns = 0; turns < 3; turns++) {
    const end = performance.now() + 100
    while (performance.now() < end);
    await delay(1)
  }
  const samples = await figures(app)
  const longest = samples.get('nodejs_event_loop_delay_seconds{quantile="1"}') as number
  const seconds = (performance.now() - start) / 1000
  t.ok(longest > 0.05 && longest <= seconds, `${longest} of ${seconds} s`)
  t.ok((samples.get('nodejs_event_loop_busy_seconds_total') as number) >= 0.3)
  await until(async () => {
    await delay(50) // What is measured is time without a scrape.
    return (
      ((await figures(app)).get('nodejs_event_loop_delay_seconds{quantile="0.5"}') as number) <
      0.005
    )
  })
  t.notMatch(await exposition(app), 'nodejs_eventloop_lag')
})

t.test('it shows nothing of employees, keys or clients', async (t) => {
  const app = await build(t, { apiKeys })
  await app.employees.create(ada)
  const remoteAddress = '192.0.2.7'
  await app.inject({ url: '/employees/1?q=Ada', headers: read, remoteAddress })
  const output = (await app.inject({ url: '/metrics', headers: read })).body
  for (const text of [...Object.values(ada), '"reader"', readKey, entries, remoteAddress]) {
    t.notOk(output.includes(`${text}`), `${text}`)
  }
  t.equal((await app.inject('/metrics')).statusCode, 401)
})

t.test('every figure is explained, and named as Prometheus wants it', async (t) => {
  const output = await exposition(await build(t, { redisUrl: 'redis://127.0.0.1:1' }))
  const metrics = [...output.matchAll(/^# HELP (employees_\S+) (.*)$/gm)] as string[][]
  t.ok(metrics.length > 10)
  for (const [, name = '', help = ''] of metrics) {
    t.ok(help.length > 15, name)
    t.match(output, new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, 'm'))
    const isCounter = output.includes(`# TYPE ${name} counter`)
    t.equal(isCounter, name.endsWith('_total'), name)
    if (name.endsWith('_seconds')) t.match(help, 'in seconds')
  }
})

async function exposition(app: App): Promise<string> {
  const answer = await app.inject('/metrics')
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.body
}

/** A figure of one view, by the end of its name. */
async function figureOf(app: App, { view }: ShownView, name: string) {
  return (await figures(app)).get(`employees_view_${name}{view="${view.name}"}`)
}

/** How many answers of a view came from where. */
async function sourcesOf(app: App, { view }: ShownView): Promise<Record<string, number>> {
  const sources: Record<string, number> = {}
  const begin = `employees_view_answers_total{view="${view.name}",source="`
  for (const [name, count] of await figures(app)) {
    if (name.startsWith(begin)) sources[name.slice(begin.length, -2)] = count
  }
  return sources
}

async function change(t: Test, app: App, { view }: ShownView): Promise<void> {
  await createUntilChanged(await shellOf(t, app), view, app.employees.create)
}

async function figures(app: App): Promise<Map<string, number>> {
  return samplesOf(await exposition(app))
}
