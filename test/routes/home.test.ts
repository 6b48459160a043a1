import t from 'tap'
import { build } from '../support/build.js'
import { apiKeys } from '../support/keys.js'
import { servedRoutes } from '../support/served-routes.js'
import { shownViews } from '../support/shown-views.js'

const types = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
}

t.test('the page and its files are here, each of its type, and need no key', async (t) => {
  const app = await build(t, { apiKeys })
  const page = await app.inject('/')
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  const script = (await app.inject('/page/page.js')).body
  const parts = [
    ...[...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, part = '']) => part),
    ...[...script.matchAll(/from '\.\/([^']+)'/g)].map(([, part = '']) => `/page/${part}`),
  ]
  t.ok(parts.length >= 7)
  for (const part of parts) {
    const answer = await app.inject(part)
    t.equal(answer.statusCode, 200, part)
    const extension = /^\/page\/.*\.(\w+)$/.exec(part)?.[1] as keyof typeof types | undefined
    if (extension) t.equal(answer.headers['content-type'], types[extension], part)
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

t.test('it has the figures of every view', async (t) => {
  const app = await build(t)
  const figures = new URL('../../../public/figures.js', import.meta.url)
  const { viewsOf } = await import(figures.href)
  const shown = async (path: string) => {
    const views: { path: string }[] = viewsOf((await app.inject('/metrics')).body)
    t.equal(views.length, shownViews.length)
    return views.find((view) => view.path === path)
  }
  for (const { view, path } of shownViews) {
    t.match(await shown(path), { changed: Number, hits: 0, misses: 0 }, view.name)
    for (let i = 0; i < 3; i++) await app.inject(path)
    const asked = { hits: 2, misses: 1, filled: Number, fillSeconds: Number }
    t.match(await shown(path), asked, view.name)
  }
})

t.test('it is no part of the contract', async (t) => {
  const { paths } = (await (await build(t)).inject('/openapi.json')).json()
  t.notOk(Object.keys(paths).some((path) => path === '/' || path.startsWith('/page')))
})
