// slow: Sentinels and clusters are started, stopped and waited for
// no database: it is Redis that fails, whatever it stands in front of
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cacheKey } from '../../src/cache/cache-key.js'
import { RedisStore } from '../../src/cache/redis-store.js'
import { buildOverRedis, temporaryDirectory } from '../support/build.js'
import { Authority } from '../support/certificates.js'
import { ownerOf, SlotMove, slotOf } from '../support/cluster-slots.js'
import { timeOutCommands, waitForReplies } from '../support/command-timeouts.js'
import {
  clientOf,
  cluster,
  type Topology,
  topologies,
  topologyClient,
} from '../support/redis-topologies.js'
import { shownViews } from '../support/shown-views.js'
import { until } from '../support/until.js'

const value = Buffer.from('value')

for (const [scheme, start] of Object.entries(topologies)) {
  t.test(`${scheme} does what Redis does`, async (t) => {
    const topology = await start(t)
    const { redis, changes } = guest(t, topology)
    await until(() => redis.usable)

    t.equal(await redis.getBuffer('key'), null)
    t.equal(await redis.pttl('key'), -2)
    await redis.set('key', value, 'EX', 3600)
    t.strictSame(await redis.getBuffer('key'), value)
    const ttl = await redis.pttl('key')
    t.ok(ttl > 3_000_000 && ttl <= 3_600_000)
    t.equal(await redis.unlink('key'), 1)
    const [first, whole] = await redis.increment('count', 3_600_000)
    const [second, left] = await redis.increment('count', 9_900_000)
    t.strictSame([first, second], [1, 2])
    // Redis looks at its clock for each command of a script: a millisecond may have passed.
    t.ok(whole > 3_000_000 && whole <= 3_600_000, 'the window is as long as it was opened for')
    t.ok(left > 3_000_000 && left <= whole, 'the window stays as the first count opened it')

    // Of a cluster: on every node.
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`)
    for (const key of keys) await redis.set(key, Buffer.from(key), 'EX', 3600)
    for (const key of keys) t.strictSame(await redis.getBuffer(key), Buffer.from(key))
    t.equal(await redis.unlink(...keys, 'none'), keys.length)
    t.equal(await redis.getBuffer('key-7'), null)

    await topologyClient(t, topology).set('endless', '99')
    const [count, end] = await redis.increment('endless', 10_000)
    t.equal(count, 100)
    t.ok(end > 5000 && end <= 10_000, 'a counter that was left without an end gets one')
    t.strictSame(changes, [undefined])
  })

  t.test(`${scheme}: what one process stored is a hit for another`, async (t) => {
    const topology = await start(t)
    const databaseUrl = `file:${join(await temporaryDirectory(t), 'employees.db')}`
    const config = { redisUrl: topology.url, redisTls: topology.tls, databaseUrl }
    const [one, other] = [await buildOverRedis(t, config), await buildOverRedis(t, config)]
    const redis = topologyClient(t, topology)
    const payload = { name: 'Ada', salary: 120_000, department: 'Engineering' }
    await one.inject({ method: 'POST', url: '/employees', payload })
    for (const { path, view } of shownViews) {
      const stored = await one.inject(path)
      t.equal(stored.headers['cache-status'], 'employees; fwd=miss; stored')
      const key = cacheKey(view.name, await one.views.version(view))
      await until(() => redis.exists(key))
      const hit = await other.inject(path)
      t.match(hit.headers['cache-status'], /detail=redis$/)
      t.equal(hit.body, stored.body)
    }
  })

  t.test(`${scheme}: away at the start, used when it comes, away when it goes`, async (t) => {
    const { servers, sentinels, ...topology } = await start(t)
    const all = [...servers, ...sentinels]
    await Promise.all(all.map((server) => server.stop()))
    const { redis, changes } = guest(t, { servers, sentinels, ...topology })
    await t.rejects(redis.getBuffer('key'), /Redis is away/)
    await until(() => changes.length === 1)
    t.type(changes[0], 'string', 'it says why')

    for (const server of all) await server.start()
    await until(() => redis.usable)
    t.strictSame(changes.slice(1), [undefined], 'one line when it returns')
    await redis.set('key', value, 'EX', 10)

    await Promise.all(all.map((server) => server.stop()))
    await until(() => changes.length === 3)
    await t.rejects(redis.getBuffer('key'), /Redis is away/)
    t.type(changes[2], 'string', 'one line when it goes')
  })

  if (scheme.includes('sentinel')) {
    t.test(`${scheme}: a Sentinel that hangs is passed over`, async (t) => {
      const topology = await start(t)
      topology.sentinels[0]?.signal('SIGSTOP')
      const { redis } = guest(t, topology)
      timeOutCommands()
      await until(() => redis.usable)
    })
  }

  if (!scheme.includes('cluster')) continue
  t.test(
    `${scheme}: while any of its masters is gone it counts as away, and as that alone`,
    async (t) => {
      const topology = await start(t)
      const { redis, changes } = guest(t, topology)
      await until(() => redis.usable)
      for (const [turn, server] of topology.servers.entries()) {
        timeOutCommands()
        await server.stop()
        await until(() => changes.length === 2 * turn + 2)
        await t.rejects(redis.set('key', value, 'EX', 10), /Redis is away/)
        await server.start()
        await until(() => redis.usable)
        t.equal(changes.length, 2 * turn + 3, 'one line when it goes and one when it returns')
      }
    },
  )

  t.test(`${scheme}: a node that hangs while a slot moves there ends nothing`, async (t) => {
    const topology = await start(t)
    const { redis } = guest(t, topology)
    await until(() => redis.usable)
    const masters = topology.servers.map((server) => clientOf(t, server, topology.files))
    const slot = slotOf('key')
    const [from, to] = await ownerOf(slot, masters)
    await new SlotMove([slot], from, to, masters).open()
    await redis.set('key', value, 'EX', 10)
    t.strictSame(await redis.getBuffer('key'), value, 'found where the slot is on its way to')

    const rejections: unknown[] = []
    const hear = (error: unknown) => rejections.push(error)
    process.on('unhandledRejection', hear)
    t.teardown(() => process.off('unhandledRejection', hear))
    timeOutCommands()
    const hanging = topology.servers.find(({ port }) => port === to.options.port)
    hanging?.signal('SIGSTOP')
    await t.rejects(redis.getBuffer('key'), /timed out/)
    hanging?.signal('SIGCONT')
    await until(() => redis.usable)
    t.strictSame(rejections, [])
  })
}

t.test('a certificate for names is asked by them, in a cluster that tells of them', async (t) => {
  const files = (await Authority.create(t)).issue('DNS:localhost')
  const { redis } = guest(t, await cluster(t, files, 'localhost'))
  await until(() => redis.usable)
})

function guest(t: Test, { url, tls }: Topology) {
  waitForReplies(t)
  const changes: (string | undefined)[] = []
  const redis = new RedisStore(url, (reason) => changes.push(reason), tls)
  t.teardown(() => redis.disconnect())
  return { redis, changes }
}
