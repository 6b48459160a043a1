import t from 'tap'
import { build } from '../support/build.js'
import { buildWithRoutes } from '../support/every-route.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

/** What a lenient parser takes for 3, and more that is no positive integer in its one spelling. */
const NO_INTEGERS = [
  '3%20',
  '%203',
  '+3',
  '-3',
  '03',
  '0x3',
  '0b11',
  '3e0',
  '3.0',
  '3.',
  '3n',
  '3_0',
  '%EF%BC%93',
  '0',
  'Infinity',
  'NaN',
  'true',
  'null',
  '%5B3%5D',
  '9007199254740992',
  '9007199254740993',
  '1'.repeat(17),
]

t.test(
  'an id is written in one way only, for every method of every route that has one',
  async (t) => {
    const { routes } = await buildWithRoutes(t)
    const withId = routes.filter(({ url, isPublished }) => isPublished && url.includes('/:id'))
    t.ok(withId.length >= 5)
    for (const { method, url } of withId) {
      t.test(`${method} ${url}`, async (t) => {
        const app = await build(t)
        for (let i = 0; i < 3; i++) await app.employees.create(ada)
        for (const id of NO_INTEGERS) {
          const payload = ['PUT', 'PATCH'].includes(method) ? { payload: { salary: 1 } } : {}
          const answer = await app.inject({
            method: method as 'GET',
            url: url.replace(':id', id),
            ...payload,
          })
          t.equal(answer.statusCode, 400, id)
          if (method !== 'HEAD') t.match(answer.json(), { errors: [{ path: '/params/id' }] }, id)
        }
        t.equal((await app.inject('/employees')).json().length, 3)
        t.strictSame(
          (await app.inject('/employees/3')).json(),
          { id: 3, ...ada },
          'nothing changed',
        )
      })
    }
  },
)

t.test('so is every integer of a query', async (t) => {
  const app = await build(t)
  for (const text of NO_INTEGERS) {
    const answer = await app.inject(`/employees?limit=${text}`)
    t.match(answer.json(), { status: 400, errors: [{ path: '/query/limit' }] }, text)
  }
  t.equal((await app.inject('/employees?limit=1000')).statusCode, 200)
})
