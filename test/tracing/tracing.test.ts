import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { newDatabase } from '../support/any-database.js'
import { build, buildOverRedis } from '../support/build.js'
import { type CollectedSpan, Collector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'
import { groupBy } from '../support/group-by.js'
import { redisUrl } from '../support/redis-server.js'
import { SERVER, Service } from '../support/service.js'
import { shownViews } from '../support/shown-views.js'

const ada = { name: 'Lovelace', salary: 471_100, department: 'Analytics' }
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const JSON_OVER_HTTP = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }
const SERVER_KIND = 2

t.test(
  'a miss has spans of what it waited for, below that of its request; a hit its probe',
  async (t) => {
    const collector = await Collector.start(t)
    const app = await build(t, tracingTo(collector))
    const [{ path, view } = { path: '', view: { name: '' } }] = shownViews
    await app.inject(path)
    await app.inject(path)
    await app.close()
    const [miss = [], hit = []] = tracesOf(collector)
    t.strictSame(namesOf(miss), [
      `GET ${path}`,
      'db read',
      `fill ${view.name}`,
      `probe ${view.name}`,
    ])
    t.strictSame(namesOf(hit), [`GET ${path}`, `probe ${view.name}`])
    for (const spans of [miss, hit]) {
      const request = spans.find(({ kind }) => kind === SERVER_KIND)
      t.match(request, {
        service: 'employees',
        attributes: {
          'http.request.method': 'GET',
          'http.route': path,
          'url.path': path,
          'http.response.status_code': 200,
        },
      })
      for (const span of spans) {
        if (span !== request) t.equal(span.parentSpanId, request?.spanId, span.name)
      }
    }
    const query = miss.find(({ name }) => name === 'db read')
    t.match(query?.attributes, {
      'db.system.name': /^(sqlite|postgresql)$/,
      'db.operation.name': 'read',
    })
  },
)

t.test('Redis has spans', async (t) => {
  const collector = await Collector.start(t)
  const app = await buildOverRedis(t, { ...tracingTo(collector), redisUrl: await redisUrl(t) })
  await app.inject(`${shownViews[0]?.path}`)
  await app.close()
  const span = collector.spans.find(({ name }) => name === 'redis getBuffer')
  t.match(span?.attributes, { 'db.system.name': 'redis', 'db.operation.name': 'getBuffer' })
})

t.test('nothing that was sent or kept is in a span but the path', async (t) => {
  const collector = await Collector.start(t)
  const app = await build(t, tracingTo(collector))
  const post = (payload: object) => app.inject({ method: 'POST', url: '/employees', payload })
  await post(ada)
  await post({ ...ada, salary: -471_100, Lovelace: 1 })
  for (const url of [
    '/employees?q=Lovelace&limit=9',
    '/employees/1',
    '/employees',
    `/${'x'.repeat(999)}`,
  ])
    await app.inject({ url, headers: { 'x-request-id': 'Lovelace' } })
  await app.inject({ method: 'PUT', url: '/employees/1', payload: { salary: 4711 } })
  await app.inject({ method: 'PUT', url: '/employees/7', payload: { salary: 4711 } })
  await app.close()
  const spans = collector.spans
  t.notMatch(JSON.stringify(spans), /Lovelace|4711|Analytics/)
  t.ok(spans.every(({ attributes }) => `${attributes['url.path']}`.length < 300))
  const requests = spans.filter(({ kind }) => kind === SERVER_KIND)
  t.strictSame(
    requests.map(({ attributes, status }) => [attributes['http.response.status_code'], status]),
    [201, 400, 200, 200, 200, 404, 200, 404].map((code) => [code, 0]),
    'what a client does wrong is no fault of the service',
  )
})

t.test('the trace of a client goes on, if it is sampled, and is in the log', async (t) => {
  const collector = await Collector.start(t)
  const service = await Service.start(t, {
    ...JSON_OVER_HTTP,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'staff',
    DATABASE_URL: await newDatabase(t),
  })
  const output = text(service.process.stdout as Readable)
  const ask = (traceparent: string) =>
    fetch(`${service.url}/employees/7`, { headers: { traceparent } })
  await ask(`00-${TRACE}-${SPAN}-01`)
  await ask(`00-${TRACE}-${SPAN}-00`)
  await ask('nonsense')
  t.equal(await service.stop(), 0)
  const requests = collector.spans.filter(({ kind }) => kind === SERVER_KIND)
  t.equal(requests.length, 2, 'what was not sampled is not told')
  const [continued, own] = requests
  t.match(continued, { traceId: TRACE, parentSpanId: SPAN, service: 'staff' })
  t.notMatch(own, { traceId: TRACE })
  const lines = (await output)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const logged = lines.filter(({ message }) => message === 'request')
  t.match(logged, [
    { 'trace.id': TRACE, 'span.id': continued?.spanId, 'service.name': 'staff' },
    { 'trace.id': TRACE },
    { 'trace.id': own?.traceId, 'span.id': own?.spanId },
  ])
})

t.test('each of many at once has its own spans', async (t) => {
  const collector = await Collector.start(t)
  const app = await build(t, tracingTo(collector))
  const path = `${shownViews[0]?.path}`
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => app.inject(index % 2 ? path : '/employees/1')),
  )
  await app.close()
  for (const spans of tracesOf(collector)) {
    const names = namesOf(spans)
    if (names.some((name) => name.startsWith('GET /employees/:id')))
      t.strictSame(names.slice(1), ['db get'])
    else t.equal(names.filter((name) => name.startsWith('probe')).length, 1)
  }
})

t.test('a sampler takes what it is told to', async (t) => {
  for (const [sampler, count] of [
    ['always_off', 0],
    ['always_on', 1],
    ['parentbased_always_off', 0],
  ] as const) {
    const collector = await Collector.start(t)
    const app = await build(t, tracingTo(collector, { OTEL_TRACES_SAMPLER: sampler }))
    await app.inject('/livez')
    await app.close()
    t.equal(collector.spans.length, count, sampler)
  }
})

t.test('protobuf is what a collector is sent unless it is told', async (t) => {
  const collector = await Collector.start(t)
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own/path` }
  const app = await build(t, { tracing: readConfig(env).tracing })
  await app.inject('/livez')
  await app.close()
  t.match(collector.posts, [{ path: '/own/path', type: 'application/x-protobuf' }])
  t.ok(collector.posts[0]?.body.includes('GET /livez'))
})

t.test(
  'without a collector answers are the same, one line says so, and it closes in time',
  async (t) => {
    const service = await Service.start(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
      OTEL_BSP_SCHEDULE_DELAY: '10',
      DATABASE_URL: await newDatabase(t),
    })
    for (let count = 0; count < 50; count++) {
      t.equal((await fetch(`${service.url}/employees/high-salary`)).status, 200)
    }
    const started = performance.now()
    t.equal(await service.stop(), 0)
    t.ok(performance.now() - started < 5000)
    const told = service.warnings.filter((line) => line.includes('collector'))
    t.equal(told.length, 1)
  },
)

t.test('what waits for a collector that hangs is bounded', async (t) => {
  const collector = await Collector.start(t)
  collector.isHanging = true
  const app = await build(t, tracingTo(collector, { OTEL_BSP_MAX_QUEUE_SIZE: '10' }))
  for (let count = 0; count < 200; count++) await app.inject('/livez')
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 5000, 'it closes in time')
  t.ok(collector.spans.length <= 20, `${collector.spans.length} were kept of 200`)
})

for (const [what, env, isLoaded] of [
  ['without a collector the SDK is not loaded', {}, false],
  [
    'nor where it is disabled',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' },
    false,
  ],
  ['with one it is', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, true],
] as const) {
  t.test(what, async (t) => {
    // The API alone is prom-client's, too.
    const source = `import { registerHooks } from 'node:module'
      registerHooks({ load(url, context, next) {
        if (/@opentelemetry.(?!api)/.test(url))
          console.log(JSON.stringify({ 'log.level': 'warn', message: url }))
        return next(url, context)
      } })`
    const program = [
      process.execPath,
      '--import',
      `data:text/javascript,${encodeURIComponent(source)}`,
      SERVER,
    ]
    const DATABASE_URL = await newDatabase(t)
    const service = await Service.start(
      t,
      { ...env, DATABASE_URL },
      program as [string, ...string[]],
    )
    t.equal(
      service.warnings.some((line) => line.includes('@opentelemetry')),
      isLoaded,
    )
  })
}

function tracingTo(collector: Collector, env: Record<string, string> = {}) {
  const { tracing } = readConfig({
    ...JSON_OVER_HTTP,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    // What is told is told at the close.
    OTEL_BSP_SCHEDULE_DELAY: '600000',
    ...env,
  })
  return { tracing }
}

/** The spans of each request, in the order in which those began to be told. */
function tracesOf({ spans }: Collector): CollectedSpan[][] {
  return [...groupBy(spans, ({ traceId }) => traceId).values()]
}

function namesOf(spans: CollectedSpan[]): string[] {
  return spans.map(({ name }) => name).sort()
}
