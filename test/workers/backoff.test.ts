// no database: it counts milliseconds
import t from 'tap'
import { Backoff } from '../../src/workers/backoff.js'

const MINUTE = 60_000

t.test('the delay doubles from 100 ms to 30 s', async (t) => {
  const backoff = new Backoff()
  t.strictSame(
    Array.from({ length: 12 }, () => backoff.next(MINUTE - 1)),
    [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000],
  )
})

t.test('it begins anew after a life of a minute', async (t) => {
  const backoff = new Backoff()
  t.strictSame(
    [0, 0, 0, MINUTE, 0].map((lived) => backoff.next(lived)),
    [100, 200, 400, 100, 200],
  )
})
