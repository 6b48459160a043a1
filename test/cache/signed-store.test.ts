// no database: Redis alone
import t, { type Test } from 'tap'
import { RedisStore } from '../../src/cache/redis-store.js'
import { SignedStore } from '../../src/cache/signed-store.js'
import { waitForReplies } from '../support/command-timeouts.js'
import { RedisServer, redisClient } from '../support/redis-server.js'
import { until } from '../support/until.js'

const KEY = 'view:1'
const secret = Buffer.alloc(32, 's')
const value = Buffer.from('[{"id":1,"salary":120000}]')

t.test('what one process stored another one with the same secret reads', async (t) => {
  const { store, forge, guest } = await overRedis(t)
  t.equal(await store.getBuffer(KEY), null)
  await store.set(KEY, value, 'EX', 10)
  t.strictSame(await (await guest(secret)).store.getBuffer(KEY), value)
  await store.set(KEY, Buffer.alloc(0), 'EX', 10)
  t.strictSame(await store.getBuffer(KEY), Buffer.alloc(0))
  t.strictSame(store.stats, { forged: 0 })
  t.ok((await forge.getBuffer(KEY))?.length, 'as it is there, signed')
})

/** What somebody who can write to Redis makes of an entry, and of another one. */
const forgeries: Record<string, (entry: Buffer, other: Buffer) => Buffer> = {
  'an answer of their own': (entry) =>
    Buffer.concat([entry.subarray(0, -value.length), Buffer.from('[]')]),
  'one bit of the answer': (entry) => flip(entry, entry.length - 3),
  'one bit of the signature': (entry) => flip(entry, KEY.length + 1),
  'the entry of another key': (_entry, other) =>
    Buffer.concat([Buffer.from(`${KEY}\n`), other.subarray(KEY.length + 1)]),
  'an answer without a signature, as releases before kept it': () =>
    Buffer.concat([Buffer.from(`${KEY}\n`), value]),
  'half of a signature': (entry) => entry.subarray(0, KEY.length + 17),
  'no signature at all': (entry) => entry.subarray(0, KEY.length + 1),
  'less of the answer': (entry) => entry.subarray(0, -1),
  'more of the answer': (entry) => Buffer.concat([entry, Buffer.from(' ')]),
}
for (const [what, forged] of Object.entries(forgeries)) {
  t.test(`${what}: a miss, and Redis stays in use`, async (t) => {
    const { store, redis, changes, forge } = await overRedis(t)
    await store.set(KEY, value, 'EX', 10)
    await store.set('view:2', Buffer.from('[{"id":2}]'), 'EX', 10)
    const [entry, other] = await Promise.all([KEY, 'view:2'].map((key) => forge.getBuffer(key)))
    await forge.set(KEY, forged(entry as Buffer, other as Buffer))

    t.equal(await store.getBuffer(KEY), null)
    t.strictSame(store.stats, { forged: 1 })
    t.ok(redis.usable)
    t.strictSame(changes, [undefined], 'the circuit was closed all the time')
    await store.set(KEY, value, 'EX', 10)
    t.strictSame(await store.getBuffer(KEY), value, 'and the next fill takes its place')
  })
}

t.test('with another secret it is no entry', async (t) => {
  const { store, guest } = await overRedis(t)
  await store.set(KEY, value, 'EX', 10)
  const other = (await guest(Buffer.alloc(32, 'x'))).store
  t.equal(await other.getBuffer(KEY), null)
  t.strictSame(other.stats, { forged: 1 })
})

t.test('forged entries are told of once, until a good one was read', async (t) => {
  const { store, told, forge } = await overRedis(t)
  await forge.set(KEY, `${KEY}\nforged`)
  for (let i = 0; i < 5; i++) t.equal(await store.getBuffer(KEY), null)
  t.strictSame(told, [KEY])
  await store.getBuffer('view:none')
  t.equal(await store.getBuffer(KEY), null)
  t.strictSame(told, [KEY], 'nothing is no good one')
  t.equal(store.stats.forged, 6)

  await store.set(KEY, value, 'EX', 10)
  t.strictSame(await store.getBuffer(KEY), value)
  await forge.set(KEY, `${KEY}\nforged`)
  t.equal(await store.getBuffer(KEY), null)
  t.strictSame(told, [KEY, KEY])
})

t.test('a reply that begins with another key is no forgery, but out of step', async (t) => {
  const { store, redis, forge } = await overRedis(t)
  await forge.set(KEY, `other\nforged`)
  await t.rejects(store.getBuffer(KEY), /another command/)
  t.notOk(redis.usable)
  t.strictSame(store.stats, { forged: 0 })
})

t.test('all else is as the store has it', async (t) => {
  const { store, forge } = await overRedis(t)
  await store.set(KEY, value, 'PX', 10_000)
  const left = await store.pttl(KEY)
  t.ok(left > 9000 && left <= 10_000)
  t.equal(await store.unlink(KEY), 1)
  t.equal(await forge.exists(KEY), 0)
  const [count, rest] = await store.increment('count', 10_000)
  t.equal(count, 1)
  // Some of it may have passed.
  t.ok(rest > 9000 && rest <= 10_000)
})

/** A signed store in a Redis of the test's own, and a client of somebody who can write there. */
async function overRedis(t: Test) {
  waitForReplies(t)
  const { url } = await RedisServer.start(t)
  return { ...(await guest(secret)), guest, forge: redisClient(t, url) }

  async function guest(secret: Buffer) {
    const changes: (string | undefined)[] = []
    const told: string[] = []
    const redis = new RedisStore(url, (reason) => changes.push(reason))
    t.teardown(() => redis.disconnect())
    await until(() => redis.usable)
    return { redis, changes, told, store: new SignedStore(redis, secret, (key) => told.push(key)) }
  }
}

function flip(entry: Buffer, at: number): Buffer {
  const changed = Buffer.from(entry)
  changed[at] = (changed[at] as number) ^ 1
  return changed
}
