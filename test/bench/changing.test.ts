// no database: it makes a table of figures
import t from 'tap'
import { CLIENTS, type Known } from '../../bench/measure/changing-load.js'
import { quantile } from '../../bench/median.js'
import { changingTableOf } from '../../bench/report/changing-table.js'

const of = { database: 'SQLite', release: 'this one' }
const answered = { count: 100, p50: 1, p99: 2.345, max: 3 }

t.test(
  'the table says of each client what it waited for, and where its answers were from',
  async (t) => {
    const table = changingTableOf({
      changing: [
        {
          ...of,
          phase: '20 writes/s',
          clients: {
            'high-salary': { ...answered, sources: { near: 1, parts: 99 } },
            'one employee': { ...answered, sources: {} },
          },
          cpu: 0.25,
          rssMiB: 200,
        },
      ],
      writes: [{ ...of, write: 'that no view shows', us: 3, bareUs: 2 }],
    })
    t.match(
      table,
      /20 writes\/s +│ high-salary +│ 100 +│ 1\.00 +│ 2\.35 +│ 3\.00 +│ parts 99\.0 %, near 1\.0 %/,
    )
    t.match(table, /one employee +│ 100 .* 3\.00 +│ +│/)
    t.match(table, /25 +│ 200/)
    t.match(table, /that no view shows +│ 3\.0 +│ 2\.0 +│ 1\.50/)
  },
)

t.test('whoever is changed stays in the views, so that the next change is one, too', async (t) => {
  const known: Known = { employees: 3, high: [1], top: [{ id: 2, salary: 500_000 }] }
  const changed = new Map<string, number[]>()
  for (let i = 0; i < 1000; i++) {
    const { path, body } = CLIENTS.PATCH.ask(known)
    changed.set(path, [...(changed.get(path) ?? []), JSON.parse(body ?? '').salary])
  }
  t.strictSame([...changed.keys()].sort(), ['/employees/1', '/employees/2'])
  t.ok(changed.get('/employees/1')?.every((salary) => salary > 100_000))
  t.ok(changed.get('/employees/2')?.every((salary) => salary >= 500_000))
})

t.test('writes keep to their beat, however long one took; readers think', async (t) => {
  t.equal(CLIENTS.PATCH.next(1000, 1049), 1050)
  t.equal(CLIENTS.PATCH.next(1000, 1999), 1050)
  const next = CLIENTS['high-salary'].next(1000, 2000)
  t.ok(next >= 2050 && next <= 2100)
})

t.test('a quantile is one of the values', async (t) => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i)
  t.strictSame(
    [0.5, 0.99, 1].map((share) => quantile(values, share)),
    [50, 99, 100],
  )
  t.equal(quantile([7], 0.99), 7)
})
