import t from 'tap'
import {
  encodeValue,
  type Field,
  isPlain,
  type ListQuery,
  SORTS,
  type Sort,
  served,
} from '../../src/employees/pages.js'
import type { Employee } from '../../src/employees/schemas.js'
import { type App, build } from '../support/build.js'

/** Few of each, so that many are equal; in other orders by code units, by case and by locale than by bytes. */
const NAMES = [
  'Ada',
  'ada',
  'Ad',
  'Ada B',
  'Ada\u{10ffff}',
  'Ada\u{10ffff}x',
  'Adb',
  '\uffff',
  '😀',
  'Zoë',
  'É',
  '%',
  '_',
]
const SALARIES = [0, 0.1, 1 / 3, 1000, 1000.5, 5e11, 1e12]
const DEPARTMENTS = ['Sales', 'sales', 'R&D', '😀', '\uffff', 'Z']

/** Queries of each filter, as it is called in the registry. */
const FILTERS: Record<string, Partial<ListQuery>[]> = {
  department: [{ department: ['R&D'] }, { department: ['nowhere'] }],
  departments: [{ department: ['Sales', '😀', 'nowhere'] }, { department: ['Z', 'Sales', 'Z'] }],
  salary: [
    { salary_min: 0.1, salary_max: 1000 },
    { salary_min: 1000 },
    { salary_max: 0.1 },
    { salary_min: 2, salary_max: 1 },
  ],
  q: [
    { q: 'Ada' },
    { q: 'a' },
    { q: '\uffff' },
    { q: '😀' },
    { q: 'nobody' },
    { q: 'Ada\u{10ffff}' },
  ],
}

/** Every query that is served, but for where a page begins. */
const SERVED = served.flatMap(({ by, filters }) => {
  const narrowed = filters.reduce<Partial<ListQuery>[]>(
    (queries, filter) =>
      queries.flatMap((query) => (FILTERS[filter] ?? []).map((more) => ({ ...query, ...more }))),
    [{}],
  )
  return narrowed.flatMap((query) => [by, `-${by}` as const].map((sort) => ({ ...query, sort })))
})

t.test('every order and filter that is served gives what it says, page by page', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(150))
  const everybody: Employee[] = (await app.inject('/employees')).json()
  t.ok(SERVED.length > 40)
  for (const query of SERVED) {
    const expected = everybody.filter(matching(query)).sort(orderOf(query.sort))
    for (const limit of [1, 7, 200]) {
      // Page by page a few are enough.
      if (limit === 1 && expected.length > 80) continue
      const url = urlOf({ ...query, limit })
      t.strictSame((await follow(app, url)).flat(), expected, url)
    }
  }
})

t.test(
  'an employee who stays is on one page, whoever comes, goes or changes between',
  async (t) => {
    const app = await build(t)
    await app.employees.createMany(people(60))
    for (const query of SERVED) {
      const before: Employee[] = (await app.inject('/employees')).json()
      const touched = new Set<number>()
      const pages = await follow(
        app,
        urlOf({ ...query, limit: 4 }),
        async (page) => {
          await app.employees.createMany(people(1))
          // Also the one behind whom the next page begins.
          const last = page.at(-1)?.id ?? pick(before).id
          for (const id of [last, pick(before).id]) {
            touched.add(id)
            const change = {
              salary: pick(SALARIES),
              name: pick(NAMES),
              department: pick(DEPARTMENTS),
            }
            if (Math.random() < 0.5) await app.employees.delete(id)
            else await app.employees.update(id, change)
          }
        },
        40,
      )
      const seen = pages.flat().map(({ id }) => id)
      const stayed = before.filter(({ id }) => !touched.has(id)).filter(matching(query))
      const old = new Set(before.map(({ id }) => id))
      const still = seen.filter((id) => old.has(id) && !touched.has(id))
      t.equal(new Set(still).size, still.length, `nobody twice: ${urlOf(query)}`)
      if (pages.length < 40) {
        t.strictSame(
          still.sort(ascending),
          stayed.map(({ id }) => id).sort(ascending),
          urlOf(query),
        )
      }
    }
  },
)

t.test('every other combination is a 400 that says what is served', async (t) => {
  const app = await build(t)
  const filters = Object.keys(FILTERS)
  let refused = 0
  for (const sort of SORTS) {
    for (let chosen = 0; chosen < 2 ** filters.length; chosen++) {
      const names = filters.filter((_, index) => chosen & (1 << index))
      if (names.includes('department') && names.includes('departments')) continue
      const query = Object.assign({ sort, limit: 5 }, ...names.map((name) => FILTERS[name]?.[0]))
      const isServed = served.some(
        ({ by, filters }) =>
          sort.replace('-', '') === by && `${[...filters].sort()}` === `${names.sort()}`,
      )
      const answer = await app.inject(urlOf(query))
      t.equal(answer.statusCode, isServed ? 200 : 400, urlOf(query))
      if (isServed) continue
      refused++
      const [{ path, code, message }] = answer.json().errors
      t.match(path, /^\/query\/(?:department|salary_min|q)$/)
      t.equal(code, 'not_served')
      t.match(message, /what is served is sort by id \(/)
    }
  }
  t.ok(refused > 40)
})

t.test('without a sort a page is by what it is narrowed by', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(50))
  for (const [filter, sort] of [
    [{ q: 'Ada' }, 'name'],
    [{ salary_min: 1 }, 'salary'],
    [{ salary_max: 1, department: ['Sales'] }, 'salary'],
    [{ department: ['Sales', 'Z'] }, 'id'],
  ] as const) {
    const query = { ...filter, limit: 20 } as ListQuery
    const [given, same] = [
      await app.inject(urlOf(query)),
      await app.inject(urlOf({ ...query, sort })),
    ]
    t.equal(given.statusCode, 200)
    t.equal(given.body, same.body, sort)
  }
})

t.test('a page begins behind whomever, also who is not on the list', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(60))
  const everybody: Employee[] = (await app.inject('/employees')).json()
  for (const query of SERVED) {
    const order = orderOf(query.sort)
    for (const last of everybody.slice(0, 12)) {
      const behind = everybody.filter((each) => order(each, last) > 0)
      const url = urlOf({ ...query, limit: 100, after: last.id })
      t.strictSame((await app.inject(url)).json(), behind.filter(matching(query)).sort(order), url)
    }
  }
})

t.test('a page begins behind the employee of after, who may be gone', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(20))
  const sorted: Employee[] = (await app.inject('/employees?sort=-salary&limit=20')).json()
  const [, , third] = sorted as [Employee, Employee, Employee]
  const url = `/employees?sort=-salary&limit=20&after=${third.id}`
  t.strictSame((await app.inject(url)).json(), sorted.slice(3))
  await app.employees.delete(third.id)
  t.match((await app.inject(url)).json(), {
    type: '/problems/validation',
    errors: [{ path: '/query/after', code: 'gone', message: /no more/ }],
  })
  const at = encodeValue(third.salary)
  t.strictSame((await app.inject(`${url}&at=${at}`)).json(), sorted.slice(3))
  const byId = (await app.inject(`/employees?limit=20&after=${third.id}`)).json()
  t.strictSame(
    byId,
    sorted.filter(({ id }) => id > third.id).sort((a, b) => a.id - b.id),
  )
})

t.test('what a page cannot be read by is a 400 that names the parameter', async (t) => {
  const app = await build(t)
  const queries: [query: string, path: string, code: string][] = [
    ['sort=name', '/query/limit', 'required'],
    ['sort=-id', '/query/limit', 'required'],
    ['q=A', '/query/limit', 'required'],
    ['department=a&department=b', '/query/limit', 'required'],
    ['salary_min=1', '/query/limit', 'required'],
    ['limit=5&sort=age', '/query/sort', 'not_allowed'],
    ['limit=5&sort=', '/query/sort', 'not_allowed'],
    ['limit=5&sort=name&sort=id', '/query/sort', 'wrong_type'],
    ['limit=5&salary_min=-1', '/query/salary_min', 'wrong_type'],
    ['limit=5&salary_min=1e3', '/query/salary_min', 'wrong_type'],
    ['limit=5&salary_max=1000000000001', '/query/salary_max', 'too_large'],
    ['limit=5&salary_max=NaN', '/query/salary_max', 'wrong_type'],
    ['limit=5&q=', '/query/q', 'too_short'],
    ['limit=5&q=%00', '/query/q', 'malformed'],
    [`limit=5&${'department=a&'.repeat(11)}`, '/query/department', 'too_long'],
    ['limit=5&sort=name&at=IkFkYSI', '/query/after', 'required'],
    ['limit=5&sort=id&after=1&at=IkFkYSI', '/query/at', 'invalid_cursor'],
    ['limit=5&sort=salary&after=1&at=IkFkYSI', '/query/at', 'invalid_cursor'],
    ['limit=5&sort=name&after=1&at=MQ', '/query/at', 'invalid_cursor'],
    ['limit=5&sort=name&after=1&at=x', '/query/at', 'invalid_cursor'],
    [`limit=5&sort=name&after=1&at=${encodeValue('a\0')}`, '/query/at', 'invalid_cursor'],
    [`limit=5&sort=name&after=1&at=${encodeValue('\ud800')}`, '/query/at', 'invalid_cursor'],
  ]
  for (const [query, path, code] of queries) {
    const answer = await app.inject(`/employees?${query}`)
    t.match(answer.json(), { status: 400, errors: [{ path, code }] }, query)
  }
})

t.test('Prefer: count=exact has all counted, and nothing else does', async (t) => {
  const app = await build(t)
  await app.employees.createMany(people(120))
  const everybody: Employee[] = (await app.inject('/employees')).json()
  const headers = { prefer: 'respond-async, count=exact' }
  for (const query of SERVED) {
    const url = urlOf({ ...query, limit: 3 })
    const plain = await app.inject(url)
    const counted = await app.inject({ url, headers })
    t.equal(counted.body, plain.body, url)
    // What is plain has a shorter one.
    if (query.sort !== 'id') t.equal(counted.headers.link, plain.headers.link)
    t.equal(plain.headers['x-total-count'], undefined)
    t.equal(plain.headers['preference-applied'], undefined)
    const count = everybody.filter(matching(query)).length
    t.equal(counted.headers['x-total-count'], `${count}`, url)
    t.equal(counted.headers['preference-applied'], 'count=exact')
  }
  const beyond = await app.inject({ url: '/employees?limit=3&after=1000', headers })
  t.equal(beyond.body, '[]')
  t.equal(beyond.headers['x-total-count'], '120', 'all pages count, where none is left')
  for (const prefer of ['count=estimated', 'count', 'account=exact', 'count=exactly']) {
    const answer = await app.inject({ url: '/employees?limit=3', headers: { prefer } })
    t.equal(answer.headers['x-total-count'], undefined, prefer)
  }
  const whole = await app.inject({ url: '/employees', headers })
  t.equal(whole.headers['preference-applied'], undefined, 'everybody is counted by who reads them')
})

t.test('what was served before is still read as before', async (t) => {
  t.ok(isPlain({ limit: 20 }))
  t.ok(isPlain({ limit: 20, after: 5, department: ['Sales'], sort: 'id' }))
  t.notOk(isPlain({ department: ['a', 'b'] }))
  t.notOk(isPlain({ sort: '-id' }))
})

type Answer = Awaited<ReturnType<App['inject']>>

/** Every page from `url` on; `between` runs after each. */
async function follow(
  app: App,
  url: string,
  between?: (page: Employee[]) => Promise<void>,
  atMost = 1000,
) {
  const pages: Employee[][] = []
  for (let next: string | undefined = url; next !== undefined && pages.length < atMost; ) {
    const answer: Answer = await app.inject(next)
    if (answer.statusCode !== 200) throw new Error(`${next}: ${answer.body}`)
    pages.push(answer.json())
    await between?.(answer.json())
    next = /^<([^<>]*)>; rel="next"$/.exec(`${answer.headers.link}`)?.[1]
  }
  return pages
}

function urlOf({ department = [], ...others }: Partial<ListQuery>): string {
  const parameters = new URLSearchParams(department.map((each) => ['department', each]))
  for (const [name, value] of Object.entries(others)) parameters.set(name, `${value}`)
  return `/employees?${parameters}`
}

function matching({ department, salary_min = 0, salary_max = 1e12, q = '' }: Partial<ListQuery>) {
  return (employee: Employee) =>
    (department?.includes(employee.department) ?? true) &&
    employee.salary >= salary_min &&
    employee.salary <= salary_max &&
    employee.name.startsWith(q)
}

function orderOf(sort: Sort) {
  const isDescending = sort.startsWith('-')
  const by = sort.replace('-', '') as Field
  // The salary's own direction is from the highest down; the other is that from its end.
  const isIdDescending = by === 'salary' ? !isDescending : isDescending
  return (a: Employee, b: Employee) =>
    compare(a[by], b[by]) * (isDescending ? -1 : 1) || (a.id - b.id) * (isIdDescending ? -1 : 1)
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number') return a - Number(b)
  return Buffer.compare(Buffer.from(a), Buffer.from(`${b}`))
}

function people(count: number) {
  return Array.from({ length: count }, () => ({
    name: pick(NAMES),
    salary: pick(SALARIES),
    department: pick(DEPARTMENTS),
  }))
}

function pick<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T
}

function ascending(a: number, b: number): number {
  return a - b
}
