// no database: it is timed by itself
import t, { type Test } from 'tap'
import { Sparing } from '../../src/metrics/sparing.js'

for (const [takes, rests] of [
  [20, 2000],
  [200, 10_000],
  [1000, 20_000],
] as const) {
  t.test(`what takes ${takes} ms is looked for again after ${rests} ms`, async (t) => {
    const pass = clock(t)
    let searches = 0
    const sparing = new Sparing(async () => {
      pass(takes)
      return ++searches
    })
    const get = async () => (await sparing.get(60_000))?.value
    t.equal(await get(), 1)
    pass(rests - 1)
    t.equal(await get(), 1)
    pass(1)
    t.equal(await get(), 2)
  })
}

t.test('what costs nothing is looked for each time', async (t) => {
  clock(t)
  let searches = 0
  const sparing = new Sparing(async () => ++searches)
  for (const expected of [1, 2, 3]) t.equal((await sparing.get(1000))?.value, expected)
})

t.test(
  'all who ask meanwhile share a search, and nobody waits longer than they like',
  async (t) => {
    const pass = clock(t)
    let searches = 0
    let find: (value: number) => void = () => {}
    const sparing = new Sparing(() => {
      searches++
      return new Promise<number>((resolve) => {
        find = resolve
      })
    })
    t.strictSame(await Promise.all([sparing.get(1), sparing.get(1)]), [undefined, undefined])
    pass(5000)
    const patient = sparing.get(60_000)
    find(7)
    t.match(await patient, { value: 7, at: Date })
    t.equal(searches, 1)
  },
)

t.test('a search that fails is tried again a second later, and what was found stays', async (t) => {
  const pass = clock(t)
  let fails = true
  const sparing = new Sparing(async () => {
    if (fails) throw new Error('away')
    return 1
  })
  t.equal(await sparing.get(1000), undefined)
  fails = false
  t.equal(await sparing.get(1000), undefined)
  pass(1001)
  t.match(await sparing.get(1000), { value: 1 })
  fails = true
  t.match(await sparing.get(1000), { value: 1 })
})

/** A clock that stands still; gives what lets so many milliseconds pass. */
function clock(t: Test): (ms: number) => void {
  let now = 1_000_000
  t.intercept(performance, 'now', { value: () => now })
  return (ms) => {
    now += ms
  }
}
