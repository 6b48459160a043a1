// no database: headers that every answer has, whatever is in it
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import t from 'tap'
import { build } from '../support/build.js'
import { apiKeys } from '../support/keys.js'
import { servedRoutes } from '../support/served-routes.js'
import { shownViews } from '../support/shown-views.js'

const expected = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** The pages with their parts, which load each other by a policy of their own. */
const PAGES = /^\/($|docs|page\/|problems\/)/
const { 'content-security-policy': _, ...expectedOfPages } = expected

t.test('every answer says that it is to be shown, framed and sniffed by nobody', async (t) => {
  const routes = await servedRoutes()
  for (const config of [{}, { apiKeys }]) {
    const app = await build(t, config)
    const headers = { authorization: 'Bearer wrong' }
    for (const { method, path: url } of [...routes, { method: 'GET', path: '/nothing' }]) {
      const answer = await app.inject({ method: method as 'GET', url, headers })
      const isPage = PAGES.test(url)
      t.match(answer.headers, isPage ? expectedOfPages : expected, `${method} ${url}`)
      if (isPage) t.match(answer.headers['content-security-policy'], /^default-src 'self'/, url)
    }
  }
})

t.test('over the network, too, and each of them once, with the id of the request', async (t) => {
  const app = await build(t)
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const unroutable = { method: 'GET', path: `/employees/${'1'.repeat(2000)}` }
  for (const { method, path } of [
    ...(await servedRoutes()),
    { method: 'GET', path: '/nothing' },
    unroutable,
  ]) {
    const asked = request({ port, method, path, headers: { 'x-request-id': 'mine' }, agent: false })
    asked.end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    await once(answer, 'close')
    const isPage = PAGES.test(path)
    t.match(answer.headers, isPage ? expectedOfPages : expected, `${method} ${path}`)
    t.equal(answer.headers['x-request-id'], 'mine')
    const names = answer.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
    t.strictSame(names, [...new Set(names)], `${method} ${path}: no header twice`)
    if (isPage) t.match(answer.headers['content-security-policy'], /^default-src 'self'/, path)
  }
})

t.test('a cached answer and an error carry them too', async (t) => {
  const app = await build(t)
  for (const { path: url } of shownViews) {
    for (const source of [/miss/, /hit/]) {
      const { headers } = await app.inject(url)
      t.match(headers['cache-status'], source, url)
      t.match(headers, expected, url)
    }
    const known = await app.inject({ url, headers: { 'if-none-match': '*' } })
    t.equal(known.statusCode, 304, url)
    t.match(known.headers, expected, url)
  }
  for (const url of ['/employees/x', '/nothing']) {
    t.match((await app.inject(url)).headers, expected, url)
  }
})

t.test('/docs works under its policy: all that it loads is here, and nothing inline', async (t) => {
  const app = await build(t, { apiKeys })
  const page = await app.inject('/docs')
  const policy = page.headers['content-security-policy'] as string
  t.match(policy, /default-src 'self'/)
  t.notMatch(policy, /unsafe|upgrade-insecure-requests/)
  t.notMatch(page.body, /<style|\sstyle=|\son\w+=|<script[^>]*>\s*[^\s<]/)
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url as string)
  t.ok(assets.length >= 5)
  for (const asset of [...assets, '/docs/json']) {
    const { pathname } = new URL(asset, 'http://localhost/docs')
    const answer = await app.inject(pathname)
    t.equal(answer.statusCode, 200, asset)
    if (pathname.startsWith('/docs')) t.equal(answer.headers['content-security-policy'], policy)
    t.ok(asset.startsWith('/'), 'of this origin')
  }
})
