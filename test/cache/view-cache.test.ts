// no database: versions are made up
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { CacheEntry } from '../../src/cache/l1-cache.js'
import {
  type Answer,
  type Filling,
  Miss,
  ViewCache,
  type ViewCacheOptions,
} from '../../src/cache/view-cache.js'
import { until } from '../support/until.js'

const VIEW = 'view'

t.test(
  'who shares a fill that a write overtook is told the version of what it shows',
  async (t) => {
    const { cache, shared, source } = setUp()
    let fill = (_version: string) => {}
    const leader = cache.answer(VIEW, shared, never, async () => {
      return new Promise<Filling>((resolve) => {
        fill = (version) => resolve(filling(version))
      })
    })
    await until(() => fill.length === 1 && source.asked > 0)
    const joiner = cache.answer(VIEW, shared, never, () => Promise.reject(new Error('not asked')))
    await until(() => source.asked > 1)
    source.version = 'b'
    fill('b')
    const answers = await Promise.all([leader, joiner])
    t.strictSame(answers.map(shown), [
      ['stored', '"1-b"', 'body of b'],
      ['collapsed', '"1-b"', 'body of b'],
    ])
  },
)

t.test('a fill that is older than the database is kept nowhere', async (t) => {
  const { cache, shared, source, store } = setUp()
  const answer = await cache.answer(VIEW, shared, never, async () => {
    source.version = 'b'
    return filling('a')
  })
  t.strictSame(shown(answer), ['passed', '"1-a"', 'body of a'])
  t.equal(store.size, 0)
  t.equal(cache.l1.get(VIEW, 'a'), undefined)
})

t.test('a fill of which nobody can say whether it is still true is kept nowhere', async (t) => {
  const { cache, shared, source, store } = setUp()
  const answer = await cache.answer(VIEW, shared, never, async () => {
    source.failure = new Error('away')
    return filling('a')
  })
  t.strictSame(shown(answer), ['passed', '"1-a"', 'body of a'])
  t.equal(store.size, 0)
  t.equal(cache.l1.get(VIEW, 'a'), undefined)
})

t.test('a shared store that fails is a miss, and harms nobody', async (t) => {
  const { cache, shared } = setUp()
  const away = () => Promise.reject(new Error('away'))
  const broken = { ...shared, get: away, set: away, unlink: away }
  const answer = await cache.answer(VIEW, broken, never, async () => filling('a'))
  t.strictSame(shown(answer), ['stored', '"1-a"', 'body of a'])
  t.equal((await cache.answer(VIEW, broken, never, none)).source, 'near')
})

t.test('a view whose version is another each time is read each time', async (t) => {
  const { cache, shared, source, store } = setUp()
  for (let i = 0; i < 3; i++) {
    const answer = await cache.answer(
      VIEW,
      shared,
      (etag) => (etag === '"1-a"' ? etag : undefined),
      async () => {
        source.version = `foreign ${i}`
        return filling(`own ${i}`)
      },
    )
    if (i === 0) t.equal(answer.source, 'not_modified', 'while it is known')
    else t.equal(answer.source, 'passed')
    source.version = `next ${i}`
  }
  t.equal(store.size, 0)
})

t.test('entries that a commit outdated are forgotten, here and in the shared store', async (t) => {
  const { cache, shared, source, store } = setUp()
  await cache.answer(VIEW, shared, never, async () => filling('a'))
  t.strictSame([...store.keys()], ['a'])
  await cache.forgetOutdated()
  t.equal(store.size, 1, 'what is current stays')
  source.version = 'b'
  await cache.forgetOutdated()
  t.equal(store.size, 0)
  t.equal(cache.l1.get(VIEW, 'a'), undefined)
})

t.test('an entry is used for as long as it may be kept', async (t) => {
  const { cache, shared, store } = setUp()
  const read = async () => filling('a')
  const brief = { ...shared, ttl: 0 }
  await cache.answer(VIEW, brief, never, read)
  store.clear()
  t.equal((await cache.answer(VIEW, brief, never, read)).source, 'stored', 'not even once')
  await cache.answer(VIEW, shared, never, read)
  t.equal((await cache.answer(VIEW, shared, never, read)).source, 'near')
})

t.test('a read that fails, fails for nobody else', async (t) => {
  const { cache, shared } = setUp()
  const failing = cache.answer(VIEW, shared, never, () => Promise.reject(new Error('once')))
  const waiting = cache.answer(VIEW, shared, never, async () => filling('a'))
  await t.rejects(failing, /once/)
  t.strictSame(shown(await waiting), ['stored', '"1-a"', 'body of a'])
})

t.test('a miss that is abandoned lets those who wait go on alone', async (t) => {
  const { cache, shared, source } = setUp()
  const miss = await cache.lookup(VIEW, shared, never)
  t.ok(miss instanceof Miss)
  const waiting = cache.answer(VIEW, shared, never, async () => filling('a'))
  await until(() => source.asked > 1)
  if (miss instanceof Miss) miss.abandon()
  t.strictSame(shown(await waiting), ['stored', '"1-a"', 'body of a'])
})

t.test('an older entry and what has changed since make the next one', async (t) => {
  const { cache, shared, source, store, change } = divided()
  await cache.answer(VIEW, shared, never, async () => dividedFilling('a', 1))
  change('b', 2, [['2', 'two']])
  const answer = await cache.answer(VIEW, shared, never, none)
  t.strictSame(shown(answer), ['parts', '"1-b"', '[one,two]'])
  t.strictSame([...store.keys()], ['b'], 'what it was made from is not shared any more')
  t.equal((await cache.answer(VIEW, shared, never, none)).source, 'near')

  change('c', 3, [['1', '']])
  source.version = 'd'
  const later = await cache.answer(VIEW, shared, never, none)
  t.strictSame(shown(later), ['parts', '"1-c"', '[two]'], 'of the state that was read')
})

t.test(
  'a commit leaves what the next entry is made from, and nothing that is shared',
  async (t) => {
    const { cache, shared, store, change } = divided()
    await cache.answer(VIEW, shared, never, async () => dividedFilling('a', 1))
    change('b', 2, [['2', 'two']])
    await cache.forgetOutdated()
    t.equal(store.size, 0)
    t.equal((await cache.answer(VIEW, shared, never, none)).source, 'parts')
  },
)

t.test('what is made from an entry expires with it', async (t) => {
  const { cache, shared, change } = divided()
  await cache.answer(VIEW, { ...shared, ttl: 50 }, never, async () => dividedFilling('a', 1))
  const { expires } = cache.l1.last(VIEW) ?? {}
  change('b', 2, [])
  await cache.answer(VIEW, shared, never, none)
  t.equal(cache.l1.last(VIEW)?.expires, expires)
  await until(() => performance.now() > (expires as number))
  change('c', 3, [])
  const answer = await cache.answer(VIEW, shared, never, async () => dividedFilling('c', 3))
  t.equal(answer.source, 'stored')
})

t.test('a fill that a write overtakes is what the next answer is made from', async (t) => {
  const { cache, shared, store, change } = divided()
  const answer = await cache.answer(VIEW, shared, never, async () => {
    change('b', 2, [['1', 'won']])
    return dividedFilling('a', 1)
  })
  t.strictSame(shown(answer), ['passed', '"1-a"', '[one]'])
  t.equal(store.size, 0)
  t.strictSame(shown(await cache.answer(VIEW, shared, never, none)), ['parts', '"1-b"', '[won]'])
})

t.test(
  'who comes while the whole is read waits for that, and reads what has changed',
  async (t) => {
    const { cache, shared, source, change } = divided()
    const miss = await cache.lookup(VIEW, shared, never)
    t.ok(miss instanceof Miss)
    change('b', 2, [['2', 'two']])
    const { asked } = source
    const waiting = cache.answer(VIEW, shared, never, none)
    await until(() => source.asked > asked)
    if (miss instanceof Miss) await miss.fill(dividedFilling('a', 1))
    t.strictSame(shown(await waiting), ['parts', '"1-b"', '[one,two]'])
  },
)

t.test('parts that are not in their order are no parts', async (t) => {
  const { cache, shared, change } = divided()
  await cache.answer(VIEW, shared, never, async () =>
    dividedFilling('a', 1, { parts: ['2', '1'], ends: [4, 8] }),
  )
  t.equal(cache.l1.last(VIEW), undefined)
  change('b', 2, [['2', 'two']])
  const answer = await cache.answer(VIEW, shared, never, async () => dividedFilling('b', 2))
  t.equal(answer.source, 'stored')
})

t.test(
  'a large body that is made of parts is shared once it is the last for a while',
  async (t) => {
    const { cache, shared, store, change } = divided()
    const large = 'x'.repeat(70_000)
    await cache.answer(VIEW, shared, never, async () => dividedFilling('a', 1))
    for (const [number, version] of [...'bcd'].entries()) {
      change(version, number + 2, [['2', large]])
      t.equal((await cache.answer(VIEW, shared, never, none)).source, 'parts')
    }
    t.strictSame([...store.keys()], [])
    await until(() => store.size > 0)
    t.strictSame([...store.keys()], ['d'])
    cache.l1.delete(VIEW, cache.l1.last(VIEW) as CacheEntry)
    const stored = await cache.answer(VIEW, shared, never, none)
    t.strictSame(shown(stored), ['redis', '"1-d"', `[one,${large}]`])
    change('e', 5, [['2', '']])
    t.strictSame(shown(await cache.answer(VIEW, shared, never, none)), ['parts', '"1-e"', '[one]'])
  },
)

t.test('a body of parts that grows past what is kept is read as a stream', async (t) => {
  const { cache, shared, change } = divided()
  await cache.answer(VIEW, shared, never, async () => dividedFilling('a', 1))
  change('b', 2, [['2', 'x'.repeat(16 * 1024 * 1024)]])
  const answer = await cache.answer(VIEW, shared, never, async () => dividedFilling('b', 2))
  t.equal(answer.source, 'stored')
})

t.test('who has waited for the database in vain does not wait once more', async (t) => {
  const away = Object.assign(new Error('away'), { statusCode: 503 })
  const { cache, shared, source } = setUp(() => Promise.reject(away))
  const failing = cache.answer(VIEW, shared, never, () => Promise.reject(away))
  await t.rejects(Promise.all([failing, cache.answer(VIEW, shared, never, none)]), away)
  await cache.answer(VIEW, shared, never, async () => dividedFilling('a', 1))
  source.version = 'b'
  const updating = [1, 2].map(() => cache.answer(VIEW, shared, never, none))
  for (const each of await Promise.allSettled(updating)) t.equal(each.status, 'rejected')
  const answer = await cache.answer(VIEW, shared, never, async () => filling('b'))
  t.equal(answer.source, 'stored', 'nothing is left of it')
})

t.test('whatever is asked has the time that is left of the request', async (t) => {
  const deadlines: unknown[] = []
  const { cache, shared, source } = setUp(async (_view, _since, _atMost, deadline) => {
    deadlines.push(deadline)
    return undefined
  })
  for (const version of ['a', 'b']) {
    source.version = version
    const read = async (deadline?: number) => {
      deadlines.push(deadline)
      return dividedFilling(version, 1)
    }
    await cache.answer(VIEW, shared, never, read, { version, deadline: 7 })
  }
  t.strictSame(deadlines, [7, 7, 7], 'of the whole, and of the changes and the whole')
})

t.test('parts that could not be read are not tried again', async (t) => {
  let failure: Error | undefined
  const limits: number[] = []
  const { cache, shared, source } = setUp(async (_view, _since, atMost) => {
    limits.push(atMost)
    if (failure) throw failure
    return undefined
  })
  const parts = Array.from({ length: 10_000 }, (_, i) => i)
  const filled = (version: string) => async () =>
    dividedFilling(version, 1, { parts, ends: parts } as never)
  await cache.answer(VIEW, shared, never, filled('a'))
  failure = new Error('a fault')
  source.version = 'b'
  await t.rejects(cache.answer(VIEW, shared, never, none), failure)
  const answer = await cache.answer(VIEW, shared, never, filled('b'))
  t.equal(answer.source, 'stored', 'it was forgotten')
  t.strictSame(limits, [256], 'of however many')
})

t.test('who reads a view that is too large to keep holds up nobody', async (t) => {
  const { cache, shared, change } = divided()
  shared.ttl = 50
  const large = () => {
    const chunks = Array.from({ length: 17 }, () => Buffer.alloc(1024 * 1024))
    return Object.assign(Readable.from(chunks), {
      version: 'a',
      number: 1,
      index: { parts: [], ends: [] },
    })
  }
  t.equal((await cache.answer(VIEW, shared, never, async () => large())).source, 'passed')
  const reading = await cache.lookup(VIEW, shared, never)
  change('b', 2, [])
  // It is not waited for, although it does not come to an end.
  const answer = await cache.answer(VIEW, shared, never, async () => dividedFilling('b', 2))
  t.strictSame([answer.source, `${await text(answer.body as Readable)}`], ['passed', '[one]'])
  if (reading instanceof Miss) reading.abandon()
  await delay(60)
  const later = await cache.answer(VIEW, shared, never, async () => dividedFilling('b', 2))
  t.equal(later.source, 'stored', 'it may have become smaller')
})

t.test('of a view that was too large to keep, nothing is read before it is sent', async (t) => {
  const { cache, shared } = divided()
  let read = 0
  const large = async () => {
    const chunks = function* () {
      for (; read < 17; read++) yield Buffer.alloc(1024 * 1024)
    }
    const body = Readable.from(chunks(), { highWaterMark: 1 })
    return Object.assign(body, { version: 'a', number: 1, index: undefined })
  }
  const first = await cache.answer(VIEW, shared, never, large)
  t.equal((await buffer(first.body as Readable)).length, 17 * 1024 * 1024)
  read = 0
  const { source, body } = await cache.answer(VIEW, shared, never, large)
  t.strictSame([source, read], ['passed', 0])
  t.equal((await buffer(body as Readable)).length, 17 * 1024 * 1024)
})

/** A cache of a view that has parts, of which a test says what has changed. */
function divided() {
  let changed: { version: string; number: number; parts: [string, Buffer][] } | undefined
  const set = setUp(async () => changed)
  return {
    ...set,
    change(version: string, number: number, parts: [string, string][]) {
      set.source.version = version
      changed = { version, number, parts: parts.map(([part, json]) => [part, Buffer.from(json)]) }
    },
  }
}

/** One part, whose bytes are `one`. */
function dividedFilling(
  version: string,
  number: number,
  index = { parts: ['1'], ends: [4] },
): Filling {
  return Object.assign(Readable.from([Buffer.from('[one]')]), { version, number, index })
}

function setUp(
  readChanges: NonNullable<ViewCacheOptions<string>['readChanges']> = async () => undefined,
) {
  const source = { version: 'a', asked: 0, failure: undefined as Error | undefined }
  const store = new Map<string, Buffer>()
  const cache = new ViewCache<string>(
    () => {
      source.asked++
      if (source.failure) throw source.failure
      return source.version
    },
    { readChanges },
  )
  const shared = {
    ttl: 1000,
    key: (version: string) => version,
    get: async (key: string) => {
      const value = store.get(key)
      return value && { value, ttl: 500 }
    },
    set: async (key: string, value: Buffer) => store.set(key, value),
    unlink: async (key: string) => store.delete(key),
  }
  return { cache, shared, source, store }
}

function filling(version: string): Filling {
  const body = Readable.from([Buffer.from(`body of ${version}`)])
  return Object.assign(body, { version, number: 1, index: undefined })
}

function shown({ source, etag, body }: Answer) {
  return [source, etag, `${body}`]
}

function never(): undefined {}

function none(): Promise<Filling> {
  throw new Error('not asked')
}
