// slow: each of its services is three processes
import { Agent, get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { entries, read } from '../support/keys.js'
import { samplesOf } from '../support/prometheus.js'
import { post } from '../support/requests.js'
import { shownViews } from '../support/shown-views.js'
import { snapshotLimits } from '../support/snapshot-limits.js'
import { until } from '../support/until.js'
import { Workers } from '../support/workers.js'

const POSTS = 'http_request_duration_seconds_count{method="POST",route="/employees",status="201"}'

const patience = `
  import timers from 'node:timers/promises'
  import { syncBuiltinESMExports } from 'node:module'
  const { setTimeout } = globalThis
  const { setTimeout: sleep } = timers
  // A worker has a second to tell its figures to the primary, which has five to tell all of them.
  globalThis.setTimeout = (run, ms, ...more) => setTimeout(run, ms === 5000 ? 60_000 : ms, ...more)
  timers.setTimeout = (ms, ...more) => sleep(ms === 1000 ? 50_000 : ms, ...more)
  syncBuiltinESMExports()`
/** Has the service wait for the figures of a worker that is slow but does not hang. */
const PATIENT = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(patience)}` }

t.test('/metrics of any worker tells of all of them', async (t) => {
  const workers = await Workers.start(t, PATIENT)
  const [first, second] = await clients(t, workers)
  for (let i = 0; i < 10; i++) await post(workers.url)
  for (const client of [first, second]) {
    for (const { path } of shownViews) await client.get(path)
  }
  for (const client of [first, second]) {
    const samples = await client.samples()
    t.equal(samples.get(POSTS), 10)
    t.equal(samples.get('employees_commit_writes_sum'), 10)
    t.equal(samples.get('employees_workers'), 2)
    const builds = [...samples].filter(([name]) => name.startsWith('employees_build_info{'))
    t.strictSame(
      builds.map(([, value]) => value),
      [1],
      'one release, not the sum',
    )
    t.equal(
      samples.get('employees_reader_connections_limit'),
      2 * snapshotLimits.open,
      'the sum of the gauges',
    )
    for (const { view } of shownViews) {
      for (const name of ['changed', 'filled']) {
        const time = `employees_view_${name}_timestamp_seconds{view="${view.name}"}`
        t.ok((samples.get(time) as number) < Date.now() / 1000 + 60, 'the last of the times')
      }
      const fills = `employees_view_fill_seconds_count{view="${view.name}"}`
      t.equal(samples.get(fills), 2, `one of each worker: ${view.name}`)
    }
  }
  const answers = await Promise.all([first.samples(), second.samples(), first.samples()])
  for (const samples of answers) t.equal(samples.get(POSTS), 10, 'asked at once, too')
})

t.test('/status of any worker tells of all of them, those that are gone too', async (t) => {
  const workers = await Workers.start(t, PATIENT)
  const [first, second] = await clients(t, workers)
  for (const client of [first, second]) {
    for (const { path } of shownViews) for (let i = 0; i < 3; i++) await client.get(path)
  }
  const expected = {
    workers: 2,
    database: 'ok',
    redis: 'off',
    views: shownViews.map(({ view: { name }, path }) => ({
      name,
      path,
      answers: { stored: 2, near: 4 },
      fill: { what: 'whole', seconds: Number },
    })),
  }
  for (const client of [first, second]) t.match(await client.status(), expected)
  t.equal((await first.status()).startedAt, (await second.status()).startedAt)

  process.kill(second.pid, 'SIGKILL')
  await until(() => workers.said('a worker died').length === 1)
  await until(() => workers.pids.length === 3)
  await until(async () => (await first.status()).workers === 2)
  t.match(await first.status(), expected, 'of the dead one, too')
})

t.test('a worker that hangs holds up no answer, and its counts stay', async (t) => {
  const workers = await Workers.start(t)
  const [first, second] = await clients(t, workers)
  for (let i = 0; i < 10; i++) await post(workers.url)
  await first.samples()
  process.kill(second.pid, 'SIGSTOP')
  const samples = await first.samples()
  t.equal(samples.get(POSTS), 10)
  t.equal(samples.get('employees_workers_silent'), 1)
  process.kill(second.pid, 'SIGCONT')
  await until(async () => (await first.samples()).get('employees_workers_silent') === 0)
  t.equal((await second.samples()).get(POSTS), 10)
})

t.test('what a dead worker has counted stays, and what it was does not', async (t) => {
  const workers = await Workers.start(t, PATIENT)
  const [first, second] = await clients(t, workers)
  for (let i = 0; i < 10; i++) await post(workers.url)
  t.equal((await first.samples()).get(POSTS), 10)
  process.kill(second.pid, 'SIGKILL')
  await until(() => workers.said('a worker died').length === 1)
  const samples = await first.samples()
  t.equal(samples.get(POSTS), 10)
  t.equal(samples.get('employees_worker_deaths_total'), 1)

  await until(() => workers.pids.length === 3)
  await until(async () => (await first.samples()).get('employees_workers') === 2)
  // Of the two that live: sooner nobody knows whether the new one has told its own.
  t.equal(
    (await first.samples()).get('employees_reader_connections_limit'),
    2 * snapshotLimits.open,
  )
  for (let i = 0; i < 10; i++) await post(workers.url)
  t.equal((await first.samples()).get(POSTS), 20)
  process.kill(workers.pids[2] as number, 'SIGKILL')
  await until(() => workers.said('a worker died').length === 2)
  t.equal((await first.samples()).get(POSTS), 20)
})

t.test('a primary that hangs makes it 503, and the worker serves on', async (t) => {
  const workers = await Workers.start(t)
  const [first] = await clients(t, workers)
  process.kill(workers.process.pid as number, 'SIGSTOP')
  t.match(await first.get('/metrics'), { status: 503, body: /"status":503/ })
  t.match(await first.get('/status'), { status: 503, body: /does not tell the figures/ })
  t.match(await first.get('/readyz'), { status: 200 })
})

t.test('with keys it needs one that may read', async (t) => {
  const workers = await Workers.start(t, { API_KEYS: entries })
  t.equal((await fetch(`${workers.url}/metrics`)).status, 401)
  t.equal((await fetch(`${workers.url}/metrics`, { headers: read })).status, 200)
})

/** A client of each worker: a connection that is kept stays with the worker that accepted it. */
async function clients(t: Test, workers: Workers) {
  const found = new Map<number, Client>()
  while (found.size < 2) {
    const client = new Client(t, workers)
    await client.findPid()
    found.set(client.pid, client)
  }
  return [...found.values()] as [Client, Client]
}

class Client {
  pid = 0
  readonly #workers: Workers
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(t: Test, workers: Workers) {
    this.#workers = workers
    t.teardown(() => this.#agent.destroy())
  }

  async findPid(): Promise<void> {
    const id = `who-${Math.random()}`
    await this.get('/livez', { 'x-request-id': id })
    const line = () => this.#workers.lines.find((line) => line['http.request.id'] === id)
    await until(line)
    this.pid = line()?.['process.pid'] as number
  }

  async get(path: string, headers: Record<string, string> = {}) {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${this.#workers.url}${path}`, { agent: this.#agent, headers }, resolve).on(
        'error',
        reject,
      )
    })
    return { status: response.statusCode, body: await text(response) }
  }

  async status(): Promise<{ workers: number; startedAt: string }> {
    return JSON.parse((await this.get('/status')).body)
  }

  async samples(): Promise<Map<string, number>> {
    return samplesOf((await this.get('/metrics')).body)
  }
}
