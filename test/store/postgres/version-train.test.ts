// slow: answers that are late
import t from 'tap'
import { highSalary } from '../../../drizzle/views/high-salary.js'
import type { Primary } from '../../../src/store/postgres/primary.js'
import { VersionTrain } from '../../../src/store/postgres/version-train.js'
import { build } from '../../support/build.js'
import { FaultProxy } from '../../support/fault-proxy.js'
import { postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { shownViews } from '../../support/shown-views.js'
import { until } from '../../support/until.js'

const grace = { name: 'Grace', salary: 300_000, department: 'x' }

t.test('who arrives at once is answered by one probe', async (t) => {
  const { train, sent } = trains()
  const riders = Array.from({ length: 100 }, () => train.version('d'))
  await until(() => sent.length > 0)
  sent[0]?.answer('a')
  t.strictSame(new Set(await Promise.all(riders)), new Set(['a']))
  t.strictSame(train.stats, { probes: 1, probed: 100 })
})

t.test('one is under way and one waits; nobody rides in one that was sent before', async (t) => {
  const { train, sent } = trains()
  const first = train.version('d')
  await until(() => sent.length === 1)
  const late = [1, 2, 3].map(() => train.version('d'))
  await turns()
  t.equal(sent.length, 1, 'one at a time')
  sent[0]?.answer('old')
  t.equal(await first, 'old')
  await until(() => sent.length === 2)
  const later = train.version('d')
  sent[1]?.answer('new')
  t.strictSame(await Promise.all(late), ['new', 'new', 'new'])
  await until(() => sent.length === 3)
  sent[2]?.answer('newest')
  t.equal(await later, 'newest')
  t.strictSame(train.stats, { probes: 3, probed: 5 })
})

t.test('a probe that fails fails its riders alone', async (t) => {
  const { train, sent } = trains()
  const first = t.rejects(train.version('d'), /no such luck/)
  await until(() => sent.length === 1)
  const second = train.version('d')
  sent[0]?.fail(new Error('no such luck'))
  await first
  await until(() => sent.length === 2)
  sent[1]?.answer('a')
  t.equal(await second, 'a')
})

t.test('the next one need not wait for the proof of the one before', async (t) => {
  let prove = () => {}
  const proof = new Promise<void>((resolve) => (prove = resolve))
  const { train, sent } = trains(0, () => proof)
  const first = train.version('d')
  await until(() => sent.length === 1)
  const second = train.version('d')
  sent[0]?.answer('a')
  await until(() => sent.length === 2)
  sent[1]?.answer('b')
  prove()
  t.strictSame(await Promise.all([first, second]), ['a', 'b'])
})

t.test('an answer may be so old, and no older', async (t) => {
  const MS = 100
  const { train, sent } = trains(MS)
  const asked = performance.now()
  const first = train.version('d')
  await until(() => sent.length === 1)
  sent[0]?.answer('a')
  t.equal(await first, 'a')
  let last = 'a'
  await until(async () => {
    const version = train.version('d')
    await turns()
    sent[1]?.answer('b')
    last = (await version) as string
    return last !== 'a' || performance.now() - asked > 10 * MS
  })
  t.equal(last, 'b')
  t.ok(performance.now() - asked >= MS, 'from when it was asked for')
  t.equal(sent.length, 2, 'and it was asked for once in that time')
})

t.test(
  'a commit of this process is seen at once, also by a probe that was under way',
  async (t) => {
    const { train, sent } = trains(60_000)
    const first = train.version('d')
    await until(() => sent.length === 1)
    train.committed()
    sent[0]?.answer('before')
    t.equal(await first, 'before')
    const second = train.version('d')
    await until(() => sent.length === 2)
    sent[1]?.answer('after')
    t.equal(await second, 'after')
    t.equal(await train.version('d'), 'after')
    t.equal(sent.length, 2)
    train.committed()
    const third = train.version('d')
    await until(() => sent.length === 3)
    sent[2]?.answer('again')
    t.equal(await third, 'again')
  },
)

t.test('over a server each write is seen at once, and other writers for so long not', async (t) => {
  const { url, store } = await postgresStore(t, {}, undefined, { maxStalenessMs: 60_000 })
  const { employees, views } = store
  const shell = await postgresClient(t, url)
  let version = await views.version(highSalary)
  const renewed = async (what: string) => {
    const before = version
    version = await views.version(highSalary)
    t.not(version, before, what)
  }
  const { id } = await employees.create(grace)
  await renewed('create')
  await employees.update(id, { salary: 400_000 })
  await renewed('update')
  await employees.createMany([grace])
  await renewed('create many')
  await employees.delete(id)
  await renewed('delete')
  const { probes = 0 } = store.stats().server ?? {}
  await shell.query('DELETE FROM employees')
  for (let i = 0; i < 5; i++) t.equal(await views.version(highSalary), version)
  t.equal(store.stats().server?.probes, probes)
})

t.test('a server that hangs is a 503 in time, for all who wait', async (t) => {
  const url = await postgresDatabase(t)
  const proxy = await FaultProxy.start(t, url)
  const { store } = await postgresStore(t, {}, proxy.url)
  await store.views.version(highSalary)
  proxy.fault = 'blackhole'
  const started = performance.now()
  const ask = () =>
    t.rejects(Promise.resolve(store.views.version(highSalary)), {
      statusCode: 503,
      code: 'DATABASE_UNAVAILABLE',
    })
  const asked = [ask()]
  await until(() => performance.now() - started > 500)
  asked.push(ask(), ask())
  await Promise.all(asked)
  t.ok(performance.now() - started < 3500, `${performance.now() - started} ms`)
  proxy.fault = 'none'
  await until(() => store.stats().server?.host)
  await store.views.version(highSalary)
})

for (const { path } of shownViews) {
  t.test(`${path} says how old it may be, where it may`, async (t) => {
    const [lagging, exact] = [await build(t, { viewMaxStalenessMs: 50 }), await build(t)]
    for (const expected of [/^employees; fwd=miss; stored; /, /^employees; hit; .*; /]) {
      const { headers } = await lagging.inject(path)
      t.match(headers['cache-status'], expected)
      t.match(headers['cache-status'], /; employees-max-staleness=50$/)
      t.notMatch((await exact.inject(path)).headers['cache-status'], 'staleness')
    }
    const { headers } = await lagging.inject(path)
    const conditional = { 'if-none-match': headers.etag as string }
    const answer = await lagging.inject({ url: path, headers: conditional })
    t.equal(answer.statusCode, 304)
    t.match(answer.headers['cache-status'], /; employees-max-staleness=50$/)
  })
}

/** A train to a server that answers when it is told to. */
function trains(maxStalenessMs = 0, proven: () => Promise<void> | undefined = () => undefined) {
  const sent: { answer: (version: string) => void; fail: (error: Error) => void }[] = []
  const rows = () =>
    new Promise((resolve, reject) => {
      sent.push({ answer: (version) => resolve([['d', version]]), fail: reject })
    })
  const primary = {
    async do(work: (session: unknown) => Promise<unknown>) {
      const result = await work({ probe: { rows } })
      await proven()
      return result
    },
  }
  return { train: new VersionTrain(primary as unknown as Primary, maxStalenessMs), sent }
}

/** Lets what can be done be done. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
}
