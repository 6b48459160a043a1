import t from 'tap'
import { build } from '../support/build.js'
import { apiKeys } from '../support/keys.js'

const expected = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

t.test('every answer says that it is to be shown, framed and sniffed by nobody', async (t) => {
  const app = await build(t, { apiKeys })
  const authorization = 'Bearer wrong'
  for (const url of ['/livez', '/openapi.json', '/employees', '/nothing']) {
    t.match((await app.inject({ url, headers: { authorization } })).headers, expected, url)
  }
})

t.test('a cached answer and an error carry them too', async (t) => {
  const app = await build(t)
  for (const url of [
    '/employees/high-salary',
    '/employees/high-salary',
    '/employees/x',
    '/nothing',
  ]) {
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
    t.equal(answer.headers['content-security-policy'], policy)
    t.ok(asset.startsWith('/'), 'of this origin')
  }
})
