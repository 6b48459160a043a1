import t from 'tap'
import { type App, build } from '../support/build.js'
import { isValid } from '../support/contract.js'
import { apiKeys } from '../support/keys.js'
import { servedRoutes } from '../support/served-routes.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, shownViews } from '../support/shown-views.js'

const types = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
}

/** Plain JavaScript, as browsers load it. */
const figures = import(new URL('../../../public/figures.js', import.meta.url).href)

t.test('the page and its files are here, each of its type, and need no key', async (t) => {
  const app = await build(t, { apiKeys })
  t.equal((await app.inject('/')).headers['content-type'], 'text/html; charset=utf-8')
  const asked = new Set(['/'])
  // What is asked for leads to more.
  for (const part of asked) {
    const { statusCode, headers, body } = await app.inject(part)
    t.equal(statusCode, 200, part)
    const extension = /^\/page\/.*\.(\w+)$/.exec(part)?.[1] as keyof typeof types | undefined
    if (extension) t.equal(headers['content-type'], types[extension], part)
    if (part === '/')
      for (const [, url = ''] of body.matchAll(/(?:href|src)="([^"]+)"/g)) asked.add(url)
    else if (extension)
      for (const [, name] of body.matchAll(/(?:from '\.\/|@import ")([^'"]+)/g))
        asked.add(`/page/${name}`)
  }
  const files = (await servedRoutes()).map(({ path }) => path)
  t.strictSame(
    files.filter((path) => path.startsWith('/page/') && !asked.has(path)),
    [],
    'none that nobody asks for',
  )
})

t.test('/docs has a viewport, a title and a language before any script runs', async (t) => {
  const app = await build(t)
  for (const url of ['/docs', '/docs/']) {
    const { headers, body } = await app.inject(url)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.match(
      body,
      /<html lang="en">[\s\S]*<meta name="viewport" content="width=device-width[\s\S]*<title>\w/,
    )
    for (const [, part = ''] of body.matchAll(/(?:href|src)="([^"]+)"/g))
      t.match((await app.inject(part)).statusCode, 200, part)
  }
})

t.test('its policy is that of /docs, and nothing on it is inline', async (t) => {
  const app = await build(t)
  const { headers, body } = await app.inject('/')
  const directives = (policy: unknown) => `${policy}`.split(/; ?/).filter(Boolean)
  const docs = await app.inject('/docs')
  t.strictSame(
    directives(headers['content-security-policy']),
    directives(docs.headers['content-security-policy']),
  )
  t.notMatch(body, /<style|\sstyle=|\son\w+=|<script[^>]*>\s*[^\s<]|https?:/)
})

t.test('who has it already is told so', async (t) => {
  const app = await build(t)
  const paths = new Set((await servedRoutes()).map(({ path }) => path))
  const files = [...paths].filter((path) => /^\/(page\/|$)/.test(path))
  t.ok(files.includes('/') && files.includes('/page/page.js'))
  for (const url of files) {
    const { etag, ...headers } = (await app.inject(url)).headers
    t.equal(headers['cache-control'], 'no-cache')
    const again = await app.inject({ url, headers: { 'if-none-match': etag as string } })
    t.equal(again.statusCode, 304)
    t.equal(again.body, '')
    t.equal(again.headers.etag, etag)
  }
})

t.test('it counts outcomes of every view as they are', async (t) => {
  const app = await build(t)
  const { outcomesOf, hitRatio } = await figures
  const shell = await shellOf(t, app)
  for (const { view, path } of shownViews) {
    const shown = async () => {
      const { views } = (await app.inject('/status')).json() as Status
      return outcomesOf(views.find(({ name }) => name === view.name)?.answers)
    }
    for (let i = 0; i < 3; i++) await app.inject(path)
    // A write of this process, so that the status is made anew.
    await createUntilChanged(shell, view, app.employees.create)
    t.strictSame(await shown(), { hits: 2, parts: 0, whole: 1 }, view.name)
    await app.inject(path)
    await app.employees.create({ name: 'Anybody', salary: 1, department: 'Elsewhere' })
    const { hits, parts, whole } = await shown()
    t.equal(hits, 2)
    t.strictSame([parts, whole], view.definition.parts ? [1, 1] : [0, 2], view.name)
  }
  t.equal(hitRatio({ hits: 3, parts: 1, whole: 0 }), 0.75)
  t.equal(hitRatio({ hits: 0, parts: 0, whole: 0 }), undefined)
})

t.test(
  'its charts tell of what was between two answers, and of nothing before a restart',
  async (t) => {
    const { History, joined, rate } = await figures
    const history = new History()
    const at = (second: number) => new Date(1000 * second).toISOString()
    const add = (second: number, near: number, startedAt = at(0)) => {
      const none = { not_modified: 0, redis: 0, collapsed: 0, parts: 0, stored: 0, passed: 0 }
      history.add({ at: at(second), startedAt, views: [{ name: 'a', answers: { ...none, near } }] })
    }
    add(100, 5)
    t.strictSame(history.spans('a'), [])
    add(102, 25)
    add(102, 25)
    add(112, 25)
    const spans = history.spans('a')
    t.strictSame(spans, [
      { ago: 10, length: 2, hits: 20, parts: 0, whole: 0 },
      { ago: 0, length: 10, hits: 0, parts: 0, whole: 0 },
    ])
    t.equal(rate(joined(spans, 0, 60)), 20 / 12)
    t.equal(joined(spans, 60, 120), undefined)
    t.strictSame(history.spans('a view of tomorrow').length, 2)

    for (let second = 114; second < 2000; second += 2) add(second, second)
    t.ok(history.spans('a').length <= 152, 'no longer than charts are')
    add(2002, 1, at(2001))
    t.strictSame(history.spans('a'), [])
  },
)

t.test(
  'the people that it fills an empty database with are such as the service takes',
  async (t) => {
    const { people } = await import(new URL('../../../public/people.js', import.meta.url).href)
    const made: unknown[] = people(1000)
    t.equal(made.length, 1000)
    const faulty = made.filter((person) => !isValid('#/components/schemas/EmployeeCreate', person))
    t.strictSame(faulty, [])
    const app = await build(t)
    await app.employees.createMany(made as Parameters<App['employees']['createMany']>[0])
    for (const { view, path } of shownViews)
      t.ok((await app.inject(path)).json().length > 1, `${view.name} shows some`)
  },
)

t.test('it is no part of the contract', async (t) => {
  const { paths } = (await (await build(t)).inject('/openapi.json')).json()
  t.notOk(Object.keys(paths).some((path) => path === '/' || path.startsWith('/page')))
})

interface Status {
  views: { name: string; answers: Record<string, number> }[]
}
