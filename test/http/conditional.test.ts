import t, { type Test } from 'tap'
import { type App, build } from '../support/build.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, expectedRows, shownViews } from '../support/shown-views.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const STRONG = /^"[\x21\x23-\x7e]+"$/

/** What has an entity tag: how it is changed, and what it shows. */
interface Tagged {
  url: string
  change: (t: Test, app: App) => Promise<unknown>
  shows: (t: Test, app: App) => Promise<unknown>
}

const tagged: Tagged[] = [
  {
    url: '/employees/1',
    change: (_t, app) =>
      app.inject({ method: 'PUT', url: '/employees/1', payload: { salary: 120_001 } }),
    shows: async () => ({ id: 1, ...ada }),
  },
  ...shownViews.map(({ view, path }) => ({
    url: path,
    change: async (t: Test, app: App) =>
      createUntilChanged(await shellOf(t, app), view, app.employees.create),
    shows: async (t: Test, app: App) => expectedRows(await shellOf(t, app), view),
  })),
]

for (const { url, change, shows } of tagged) {
  t.test(`${url}: the entity tag is strong and lasts as long as the answer`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const first = await etagOf(app, url)
    t.match(first, STRONG)
    t.equal(await etagOf(app, url), first, 'another read')

    await change(t, app)
    const second = await etagOf(app, url)
    t.match(second, STRONG)
    t.not(second, first, 'another answer')
  })

  t.test(`${url}: If-None-Match of a client that has it gives 304 without a body`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const etag = await etagOf(app, url)
    const conditions = [etag, `W/${etag}`, '*', ' * ', `"a", ${etag}`, `"a,b" ,W/${etag},"c"`]
    for (const method of ['GET', 'HEAD'] as const) {
      for (const condition of conditions) {
        const headers = { 'if-none-match': condition }
        const answer = await app.inject({ method, url, headers })
        t.equal(answer.statusCode, 304, `${method} ${condition}`)
        t.equal(answer.body, '')
        t.match(answer.headers, { etag, 'cache-control': 'private, no-cache' })
        t.notOk(answer.headers['content-type'])
      }
    }
  })

  t.test(`${url}: If-None-Match of a client that has another gives the answer`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const etag = await etagOf(app, url)
    for (const condition of [
      '"a"',
      etag.slice(1, -1),
      `"${etag}"`,
      '"*"',
      '"a", "b"',
      '',
      etag.toUpperCase(),
    ]) {
      const answer = await app.inject({ url, headers: { 'if-none-match': condition } })
      t.equal(answer.statusCode, 200, condition || 'empty')
      t.strictSame(answer.json(), await shows(t, app))
    }
  })
}

t.test('two employees who are equal but for the id have different entity tags', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada, ada])
  t.not(await etagOf(app, '/employees/1'), await etagOf(app, '/employees/2'))
})

const changes = [
  { method: 'PUT', payload: { name: 'Grace' } },
  { method: 'PATCH', payload: { name: 'Grace' } },
  { method: 'DELETE' },
] as const

for (const change of changes) {
  const { method } = change
  const request = { ...change, url: '/employees/1' }

  t.test(`a ${method} is done if If-Match has the entity tag`, async (t) => {
    const app = await build(t)
    const lists = [(tag: string) => tag, () => '*', (tag: string) => `"a", W/"b",${tag} , "c"`]
    await app.employees.createMany(lists.map(() => ada))
    for (const [index, list] of lists.entries()) {
      const url = `/employees/${index + 1}`
      const condition = list(await etagOf(app, url))
      const answer = await app.inject({ ...request, url, headers: { 'if-match': condition } })
      t.equal(answer.statusCode, 200, condition)
    }
    const left = (await app.inject('/employees')).json()
    t.strictSame(
      left,
      method === 'DELETE' ? [] : [1, 2, 3].map((id) => ({ id, ...ada, name: 'Grace' })),
    )
  })

  t.test(`a ${method} is a 412 and changes nothing if If-Match has it not`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const etag = await etagOf(app, '/employees/1')
    // A weak tag matches nothing here: the comparison is strong (RFC 9110, section 13.1.1).
    for (const condition of ['"a"', `W/${etag}`, `"a", W/${etag}`, etag.slice(1, -1), '"*"', '']) {
      const answer = await app.inject({ ...request, headers: { 'if-match': condition } })
      t.match(answer.json(), { status: 412, detail: /If-Match/, instance: '/employees/1' })
      t.match(answer.headers['content-type'], /^application\/problem\+json/)
      const now = await app.inject('/employees/1')
      t.strictSame(now.json(), { id: 1, ...ada }, condition || 'empty')
      t.equal(now.headers.etag, etag)
    }
  })

  t.test(`a ${method} with If-None-Match: * is a 412 for somebody who is there`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const etag = await etagOf(app, '/employees/1')
    for (const condition of ['*', etag, `W/${etag}`]) {
      const answer = await app.inject({ ...request, headers: { 'if-none-match': condition } })
      t.match(answer.json(), { status: 412, detail: /If-None-Match/ }, condition)
    }
    t.strictSame((await app.inject('/employees/1')).json(), { id: 1, ...ada })
  })

  t.test(`a ${method} of nobody is a 404, whatever it expects`, async (t) => {
    const app = await build(t)
    for (const headers of [{ 'if-match': '"a"' }, { 'if-match': '*' }, { 'if-none-match': '*' }]) {
      t.equal((await app.inject({ ...request, headers })).statusCode, 404)
    }
  })

  t.test(
    `a ${method} sees a change that came between its arrival and its transaction`,
    async (t) => {
      const app = await build(t)
      await app.employees.createMany([ada])
      const headers = { 'if-match': await etagOf(app, '/employees/1') }
      const { update, delete: remove } = app.employees
      const somebodyElse = () => update(1, { salary: 1 })
      app.employees.update = async (...change) => {
        await somebodyElse()
        return update(...change)
      }
      app.employees.delete = async (...change) => {
        await somebodyElse()
        return remove(...change)
      }
      t.equal((await app.inject({ ...request, headers })).statusCode, 412)
      t.strictSame((await app.inject('/employees/1')).json(), { id: 1, ...ada, salary: 1 })
    },
  )

  t.test(`of many who ${method} at once with the same If-Match, one does`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const headers = { 'if-match': await etagOf(app, '/employees/1') }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const payload = { payload: { name: `Writer ${index}` } }
        return app.inject({ ...request, ...(method === 'DELETE' ? {} : payload), headers })
      }),
    )
    const won = answers.filter(({ statusCode }) => statusCode === 200)
    t.equal(won.length, 1)
    const lost = answers.filter(
      ({ statusCode }) => statusCode === (method === 'DELETE' ? 404 : 412),
    )
    t.equal(lost.length, 19)
    const now = await app.inject('/employees/1')
    t.equal(now.statusCode, method === 'DELETE' ? 404 : 200)
    if (method !== 'DELETE') t.equal(now.body, won[0]?.body)
  })
}

t.test('a change that was refused leaves the views their versions', async (t) => {
  const app = await build(t)
  await app.employees.createMany([ada])
  const etags = () => Promise.all(shownViews.map(({ path }) => etagOf(app, path)))
  const before = await etags()
  for (const change of changes) {
    await app.inject({ ...change, url: '/employees/1', headers: { 'if-match': '"a"' } })
  }
  t.strictSame(await etags(), before)
})

async function etagOf(app: App, url = '/'): Promise<string> {
  return (await app.inject(url)).headers.etag as string
}
