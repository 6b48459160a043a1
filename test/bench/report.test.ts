// no database: it makes a page of figures
import t from 'tap'
import type { Results } from '../../bench/measure/results.js'
import { median } from '../../bench/median.js'
import { pageOf } from '../../bench/report/page.js'
import { tableOf } from '../../bench/report/table.js'
import { targetsOf } from '../../bench/targets.js'

const measured = {
  date: '2026-01-01T00:00:00.000Z',
  machine: 'a machine </script>',
  node: 'v20',
  seconds: 1,
  rounds: 1,
  employees: 10_000,
  rows: [
    {
      name: 'top2-by-department, hit in this process',
      server: 'service',
      cpu: 30,
      perSecond: 20_000,
      p50: 1,
      p99: 2,
      cpuRatio: 1.16,
      rateRatio: 0.9,
      limit: 'top2-by-department, bare Fastify',
    },
  ],
  growth: [
    {
      employees: 10_000,
      cpu: { 'one employee': 50 },
      fill: { high_salary_emps: 1, top2_by_dept: 1 },
      startUp: 700,
    },
    {
      employees: 1_000_000,
      cpu: { 'one employee': 60 },
      fill: { high_salary_emps: 100, top2_by_dept: 3 },
      startUp: 1001,
    },
  ],
  pauses: [
    { work: 'a list', employees: 1_000_000, p50: 1, p99: 24, grownMiB: 65, times: 3 },
    { work: 'a list', employees: 1000, p50: 1, p99: 24, grownMiB: 65, times: 3 },
  ],
}
const results: Results = { ...measured, targets: targetsOf(measured) }

t.test('each target is met, missed, or not measured', async (t) => {
  const verdict = (text: string) =>
    results.targets.filter(({ target }) => target.includes(text)).map(({ met }) => met)
  t.strictSame(verdict('top2-by-department from the near copy (service)'), [false])
  t.strictSame(verdict('from Redis alone'), [null, null])
  t.strictSame(verdict('ranking fill, 1,000,000'), [true])
  t.strictSame(verdict('ranking fill: '), [true])
  t.strictSame(verdict('one employee, CPU'), [true])
  t.strictSame(verdict('start-up'), [false])
  t.strictSame(verdict('a list, 1,000,000'), [true, false])
  t.strictSame(verdict('a list, 1,000 '), [null, null], 'the targets are for the large table')
})

t.test('the page holds all it needs and asks the network for nothing', async (t) => {
  const page = await pageOf(results)
  t.notMatch(page, /<(script|link|img)[^>]+(src|href)=/)
  t.match(page, 'Chart.js v')
  const [, data] = /id="results">([\s\S]*?)<\/script>/.exec(page) ?? []
  t.strictSame(JSON.parse(data ?? ''), results)
})

t.test('the table names every row and target', async (t) => {
  const table = tableOf(results)
  for (const { name } of results.rows) t.match(table, name)
  for (const { target } of results.targets) t.match(table, target)
})

t.test('the median of an even number of values is the mean of the middle two', async (t) => {
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.equal(median([3, 1, 2]), 2)
})
