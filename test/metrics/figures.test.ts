// no database: they are told by hand
import t from 'tap'
import { lasting, together } from '../../src/metrics/figures.js'

const early = { what: 'whole', at: 1, seconds: 0.1 } as const
const late = { what: 'parts', at: 2, seconds: 0.2 } as const

t.test('several processes: the sums, the last read, the worst Redis', async (t) => {
  const one = {
    redis: 'away',
    views: { a: { answers: { near: 1, stored: 1 }, fill: late } },
  } as const
  const two = {
    redis: 'ok',
    views: { a: { answers: { near: 2 }, fill: early }, b: { answers: {} } },
  } as const
  const expected = {
    redis: 'away',
    views: { a: { answers: { near: 3, stored: 1 }, fill: late }, b: { answers: {} } },
  }
  t.strictSame(together([one, two]), expected)
  t.match(together([two, one]), expected)
  t.strictSame(lasting([one, two]), { views: expected.views }, 'those that are gone have no Redis')
})
