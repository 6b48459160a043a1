// no database: it makes a page of figures
import t from 'tap'
import { perGigabit } from '../../bench/measure/wire.js'
import { median } from '../../bench/median.js'
import { comparisonsOf, formsOf } from '../../bench/report/comparison.js'
import { pageOf } from '../../bench/report/page.js'
import { tableOf } from '../../bench/report/table.js'
import { tablesOf } from '../../bench/report/tables.js'
import { targetsOf } from '../../bench/targets.js'
import { benchResults } from '../support/bench-results.js'

const results = benchResults()

t.test('each target is met, missed, or not measured', async (t) => {
  const verdicts = (of: typeof results, text: string) =>
    targetsOf(of)
      .filter(({ target }) => target.includes(text))
      .map(({ met }) => met)
  t.strictSame(
    targetsOf(results).filter(({ target, met }) => met !== true && !/a list, 1,000 /.test(target)),
    [],
  )
  t.strictSame(
    verdicts(results, 'a list, 1,000 '),
    [null, null],
    'the targets are for the large table',
  )
  const none = targetsOf({ ...results, rows: [], growth: [], pauses: [] })
  t.ok(none.length > 20)
  t.ok(none.every(({ met }) => met === null))
  const dear = results.rows.map((row) => ({
    ...row,
    cpu: 100,
    bytes: 1000,
    ...(row.limit && { cpuRatio: 3, rateRatio: 0.5 }),
  }))
  const growth = results.growth.map((size) => ({
    ...size,
    windowRatio: 9,
    startUp: 1001,
    fill: { top2_by_dept: size.employees / 10_000 },
    cpu: { 'one employee': size.employees, 'POST, durable': size.employees },
  }))
  const pauses = results.pauses.map((pause) => ({ ...pause, p99: 26, grownMiB: 65 }))
  const missed = targetsOf({ ...results, rows: dear, growth, pauses })
  t.strictSame(
    missed.filter(({ met }) => met === true).map(({ target }) => target),
    ["high-salary, hit: CPU of BentoCache's", "top2-by-department, hit: CPU of BentoCache's"],
    'it is as dear as the others',
  )
})

t.test('what is compared stands in one line: the limit, the service, and two others', async (t) => {
  const named = comparisonsOf(results.rows).map(({ name, limit, compared }) => [
    name,
    limit !== undefined,
    compared.filter((row) => row).length,
  ])
  t.strictSame(named, [
    ['high-salary, hit in this process', true, 4],
    ['top2-by-department, hit in this process', true, 4],
    ['high-salary, hit in Redis only', true, 1],
    ['top2-by-department, hit in Redis only', true, 1],
    ['one employee', true, 3],
    ['a page of 20', true, 3],
    ['POST, durable', true, 4],
    ['PUT, durable', false, 3],
    ['95 reads, 5 raises that evict', false, 4],
    ['high-salary, miss, one connection', false, 3],
    ['top2-by-department, miss, one connection', false, 3],
  ])
})

t.test('the forms of a view stand below one another: as it is, compressed, 304', async (t) => {
  const forms = formsOf(results.rows)
  const names = ['identity', 'br', 'zstd', 'gzip', '304']
  t.strictSame(
    forms.map(({ form }) => form),
    [...names, ...names],
  )
  t.match(forms[0], { view: 'high-salary', bytes: 10_000, share: 1, cpuRatio: 1 })
  t.match(forms[1], { view: 'high-salary', bytes: 1000, share: 0.1, cpuRatio: 0.9 })
})

t.test('answers at 1 Gbit/s: with 52 bytes of headers for each segment of 1448', async (t) => {
  t.equal(perGigabit(1448), 125e6 / 1500)
  t.equal(perGigabit(1449), 125e6 / (1449 + 104))
})

t.test('the page holds all it needs and asks the network for nothing', async (t) => {
  const page = await pageOf(results)
  t.notMatch(page, /<(script|link|img)[^>]+(src|href)=/)
  t.match(page, 'Chart.js v')
  const [, data] = /id="results">([\s\S]*?)<\/script>/.exec(page) ?? []
  t.strictSame(JSON.parse(data ?? '').tables, tablesOf(results))
})

t.test('the terminal shows every table, row and target', async (t) => {
  const table = tableOf(results)
  t.match(table, results.cores)
  for (const { head, body } of tablesOf(results)) {
    for (const text of [...head, ...body.flat()]) t.ok(table.includes(text), text)
  }
  t.equal(tablesOf(results).length, 6)
})

t.test('the median of an even number of values is the mean of the middle two', async (t) => {
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.equal(median([3, 1, 2]), 2)
})
