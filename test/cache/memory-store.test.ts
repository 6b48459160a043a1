// no database: a cache in memory
import t from 'tap'
import { MemoryStore } from '../../src/cache/memory-store.js'
import { until } from '../support/until.js'

t.test('it answers like Redis', async (t) => {
  const redis = new MemoryStore()
  t.equal(await redis.getBuffer('key'), null)
  t.equal(await redis.pttl('key'), -2)
  t.equal(await redis.set('key', Buffer.from('value'), 'EX', 3600), 'OK')
  t.strictSame(await redis.getBuffer('key'), Buffer.from('value'))
  const ttl = await redis.pttl('key')
  t.ok(ttl > 3_000_000 && ttl <= 3_600_000, `${ttl} ms`)
  t.equal(await redis.unlink('key', 'none'), 1)
  t.equal(await redis.getBuffer('key'), null)
})

t.test('a value is gone after its TTL', async (t) => {
  const redis = new MemoryStore()
  await redis.set('key', Buffer.from('value'), 'PX', 10)
  await until(async () => (await redis.getBuffer('key')) === null)
  t.equal(await redis.pttl('key'), -2)
})

t.test('it holds 64 MiB and drops what was used longest ago', async (t) => {
  const redis = new MemoryStore()
  const large = Buffer.alloc(30 * 1024 * 1024)
  for (const key of ['a', 'b']) await redis.set(key, large, 'EX', 10)
  await redis.getBuffer('a')
  await redis.set('c', large, 'EX', 10)
  t.ok(await redis.getBuffer('a'))
  t.equal(await redis.getBuffer('b'), null)
  await redis.set('huge', Buffer.alloc(65 * 1024 * 1024), 'EX', 10)
  t.equal(await redis.getBuffer('huge'), null)
  t.ok(await redis.getBuffer('c'))
})

t.test('a count goes on in its window, and begins anew in the next', async (t) => {
  const redis = new MemoryStore()
  t.strictSame(await redis.increment('count', 3_600_000), [1, 3_600_000])
  const [second, left] = await redis.increment('count', 9_900_000)
  t.equal(second, 2)
  t.ok(left > 3_000_000 && left <= 3_600_000)
  await redis.increment('short', 1)
  await until(async () => (await redis.pttl('short')) === -2)
  t.strictSame(await redis.increment('short', 10_000), [1, 10_000])
})

t.test('a window that very many fall into ends none the later', async (t) => {
  const redis = new MemoryStore()
  const start = performance.now()
  let left = 0
  while (performance.now() < start + 100) [, left] = await redis.increment('count', 60_000)
  t.ok(left <= 60_000, `${left} ms`)
})
