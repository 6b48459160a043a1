// slow: Redis is started, stopped and waited for
// no database: Redis alone
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { RedisStore } from '../../src/cache/redis-store.js'
import { timeOutCommands, waitForReplies } from '../support/command-timeouts.js'
import { type Fault, FaultProxy } from '../support/fault-proxy.js'
import { freePort } from '../support/free-port.js'
import { RedisServer, redisClient } from '../support/redis-server.js'
import { until } from '../support/until.js'

const value = Buffer.from('value')
/** How long a command waits for its reply. */
const TIMEOUT_MS = 100

const faults: Fault[] = ['blackhole', 'lose-replies', 'nonsense', 'refuse']
for (const fault of faults) {
  t.test(
    `${fault}: at most one command waits, the others fail at once, and it recovers`,
    async (t) => {
      const proxy = await FaultProxy.start(t, (await RedisServer.start(t)).url)
      const { redis, changes } = await guest(t, proxy.url)
      await until(() => redis.usable)

      timeOutCommands()
      proxy.fault = fault
      await t.rejects(redis.set('key', value, 'EX', 10))
      await t.rejects(redis.getBuffer('key'), /Redis is away/, 'the circuit is open')
      await until(() => changes.length === 2)

      proxy.fault = 'none'
      await until(() => redis.usable)
      waitForReplies(t)
      await redis.set('key', value, 'EX', 10)
      t.equal(changes.length, 3)
      t.equal(changes[2], undefined)
    },
  )
}

t.test('a Redis that stops answering and goes on later', async (t) => {
  const server = await RedisServer.start(t)
  const { redis, changes } = await guest(t, server.url)
  await until(() => redis.usable)
  timeOutCommands()
  server.signal('SIGSTOP')
  await t.rejects(redis.getBuffer('key'), /timed out/)
  await t.rejects(redis.getBuffer('key'), /Redis is away/)
  server.signal('SIGCONT')
  await until(() => redis.usable)
  t.ok(changes.length === 1 || changes.length === 3, 'told, unless it was back at once')
})

t.test('a reply that is lost does not let the next one pass for its value', async (t) => {
  const proxy = await FaultProxy.start(t, (await RedisServer.start(t)).url)
  const { redis } = await guest(t, proxy.url)
  await until(() => redis.usable)
  await redis.set('mine', Buffer.from('mine'), 'EX', 10)
  await redis.set('other', Buffer.from('other'), 'EX', 10)
  proxy.fault = 'lose-replies'
  const mine = redis.getBuffer('mine')
  const refused = t.rejects(mine, /another command/)
  await until(() => proxy.lost === 1)
  proxy.fault = 'none'
  await redis.getBuffer('other').catch(() => {})
  await refused

  await until(() => redis.usable)
  t.strictSame(await redis.getBuffer('mine'), Buffer.from('mine'))
})

t.test('a Redis that is only slow stays in use', async (t) => {
  const proxy = await FaultProxy.start(t, (await RedisServer.start(t)).url)
  const { redis, changes } = await guest(t, proxy.url)
  await until(() => redis.usable)
  timeOutCommands()
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (let i = 0; i < 5; i++) {
    proxy.fault = 'hold'
    const set = redis.set('key', value, 'EX', 10)
    while (proxy.held === 0) await turn()
    mock.timers.tick(TIMEOUT_MS - 1)
    proxy.fault = 'none'
    t.equal(await set, 'OK')
  }
  t.strictSame(changes, [undefined])
})

t.test('a wrong password leaves it away, and the reason does not show the password', async (t) => {
  const server = await RedisServer.start(t, '--requirepass', 'right')
  const { redis, changes } = await guest(t, server.url.replace('//', '//:wrong-secret@'))
  await until(() => changes.length === 1)
  t.match(changes[0], /WRONGPASS/)
  t.notMatch(changes[0], /wrong-secret/)
  t.notOk(redis.usable)
  const { redis: right } = await guest(t, server.url.replace('//', '//:right@'))
  await until(() => right.usable)
})

const refusals: [what: string, refuse: [string, ...string[]], allow: [string, ...string[]]][] = [
  ['no memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
  ['a read-only replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
]
for (const [what, refuse, allow] of refusals) {
  t.test(`${what}: it is away until it takes writes again`, async (t) => {
    const server = await RedisServer.start(t, '--maxmemory-policy', 'noeviction')
    const { redis, changes } = await guest(t, server.url)
    await until(() => redis.usable)
    const admin = redisClient(t, server.url)
    await admin.call(...refuse)
    await t.rejects(redis.set('key', value, 'EX', 10), /OOM|READONLY/)
    await until(() => changes.length === 2)
    t.match(changes[1], /OOM|READONLY/)
    t.notOk(redis.usable)
    await admin.call(...allow)
    await until(() => redis.usable)
    await redis.set('key', value, 'EX', 10)
    t.equal(changes.length, 3)
  })
}

t.test('CLIENT KILL storms: it comes back after each', async (t) => {
  const server = await RedisServer.start(t)
  const { redis, changes } = await guest(t, server.url)
  const admin = redisClient(t, server.url)
  for (let i = 0; i < 5; i++) {
    await until(() => redis.usable)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(() => !redis.usable)
  }
  await until(() => redis.usable)
  t.equal(changes.length, 11)
})

t.test(
  'bodies of 20 MB are kept if that takes no longer than allowed, and harm nobody else',
  async (t) => {
    const { redis } = await guest(t, (await RedisServer.start(t)).url)
    timeOutCommands()
    const large = Buffer.alloc(20e6, 'x')
    for (let i = 0; i < 5; i++) {
      await until(() => redis.usable)
      const set: Promise<unknown> = redis.set(`large:${i}`, large, 'EX', 10)
      const kept = await set.then(String, String)
      t.match(kept, /OK|timed out/)
    }
    await until(() => redis.usable)
    waitForReplies(t)
    await redis.set('key', value, 'EX', 10)
    t.strictSame(await redis.getBuffer('key'), value)
  },
)

t.test('of what somebody else put under a key no more is read than an answer has', async (t) => {
  const proxy = await FaultProxy.start(t, (await RedisServer.start(t)).url)
  const { redis } = await guest(t, proxy.url)
  await until(() => redis.usable)
  const admin = redisClient(t, proxy.url)
  await admin.set('key', Buffer.concat([Buffer.from('key\n'), Buffer.alloc(60e6)]))
  const before = proxy.replied
  t.ok((await redis.getBuffer('key')) === null)
  t.ok(proxy.replied - before < 18 * 1024 * 1024, `${proxy.replied - before} bytes`)
  t.ok(redis.usable)

  const largest = Buffer.alloc(16 * 1024 * 1024, 'x')
  await redis.set('key', largest, 'EX', 10)
  t.ok((await redis.getBuffer('key'))?.equals(largest))
})

t.test('closing it while it is away leaves nothing behind', async (t) => {
  const { redis, changes } = await guest(t, `redis://127.0.0.1:${await freePort()}`)
  await until(() => changes.length === 1)
  redis.disconnect()
  await t.rejects(redis.getBuffer('key'))
})

/** Its commands wait for their replies, unless the test has it that they time out. */
async function guest(t: Test, url: string) {
  waitForReplies(t)
  const changes: (string | undefined)[] = []
  const redis = new RedisStore(url, (reason) => changes.push(reason))
  t.teardown(() => redis.disconnect())
  return { redis, changes }
}
