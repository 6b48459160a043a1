// no database: pages that say what problems mean
import t from 'tap'
import { fieldCodeNames } from '../../src/problems/field-codes.js'
import { kindNames, kinds, typeOf } from '../../src/problems/kinds.js'
import { build } from '../support/build.js'
import { isValid } from '../support/contract.js'
import { apiKeys } from '../support/keys.js'

const PAGE = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

t.test('the type of every problem leads to a page, without a key', async (t) => {
  const app = await build(t, { apiKeys })
  for (const kind of kindNames) {
    const page = await app.inject(typeOf(kind))
    t.equal(page.statusCode, 200, kind)
    t.equal(page.headers['content-type'], PAGE)
    const { title, meaning, remedy } = kinds[kind]
    for (const told of [title, meaning, remedy]) t.ok(plain(page.body).includes(plain(told)), told)
    t.match(page.body, `<title>${title} `)
  }
})

t.test('a program reads the same as JSON, with an example that the contract knows', async (t) => {
  const app = await build(t)
  const headers = { accept: 'application/json' }
  for (const kind of kindNames) {
    const answer = await app.inject({ url: typeOf(kind), headers })
    t.equal(answer.headers['content-type'], JSON_TYPE, kind)
    const { type, example, ...told } = answer.json()
    const { status, title, meaning, remedy } = kinds[kind]
    t.equal(type, typeOf(kind))
    t.match(told, { status, title, meaning, remedy })
    t.match(example, { type, status, title })
    t.ok(isValid('#/components/schemas/Problem', example), kind)
  }
})

t.test('/problems/ lists all of them, and the codes of fields', async (t) => {
  const app = await build(t, { apiKeys })
  const { body, headers } = await app.inject('/problems/')
  t.equal(headers['content-type'], PAGE)
  const links = [...body.matchAll(/href="(\/problems\/[^"]+)"/g)].map(([, link]) => link)
  t.strictSame(links, kindNames.map(typeOf))
  for (const code of fieldCodeNames) t.match(body, `<code>${code}</code>`)
  const parts = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, part = '']) => part)
  for (const part of parts) t.equal((await app.inject(part)).statusCode, 200, part)

  const list = await app.inject({ url: '/problems/', headers: { accept: 'application/json' } })
  t.strictSame(
    list.json().problems.map(({ type }: { type: string }) => type),
    kindNames.map(typeOf),
  )
  t.strictSame(
    list.json().codes.map(({ code }: { code: string }) => code),
    fieldCodeNames,
  )
})

t.test('what a client likes best is what it gets', async (t) => {
  const app = await build(t)
  for (const [accept, type] of [
    [undefined, PAGE],
    ['*/*', PAGE],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', PAGE],
    ['application/json;q=0.5, text/html', PAGE],
    ['image/png', PAGE],
    ['application/json', JSON_TYPE],
    ['application/json, text/html;q=0.5', JSON_TYPE],
    ['application/*', JSON_TYPE],
  ]) {
    for (const url of ['/problems/', '/problems/validation']) {
      const answer = await app.inject({ url, headers: accept ? { accept } : {} })
      t.equal(answer.headers['content-type'], type, `${accept}`)
      t.equal(answer.headers.vary, 'accept')
    }
  }
})

t.test('each form has an entity tag, and who has it is told so', async (t) => {
  const app = await build(t)
  const tags = new Set()
  for (const accept of ['text/html', 'application/json']) {
    const { etag = '', ...headers } = (
      await app.inject({ url: '/problems/internal', headers: { accept } })
    ).headers
    t.equal(headers['cache-control'], 'no-cache')
    tags.add(etag)
    const condition = { accept, 'if-none-match': etag as string }
    const again = await app.inject({ url: '/problems/internal', headers: condition })
    t.equal(again.statusCode, 304)
    t.equal(again.body, '')
  }
  t.equal(tags.size, 2)
})

t.test('a kind that there is not is a 404 problem, without a key, too', async (t) => {
  const app = await build(t, { apiKeys })
  for (const kind of ['nothing', 'Validation', 'toString', '__proto__', '<script>']) {
    const answer = await app.inject(`/problems/${encodeURIComponent(kind)}`)
    t.match(answer.json(), { status: 404, type: '/problems/not-found' }, kind)
  }
})

t.test('nothing on the pages is inline, and they load what is here alone', async (t) => {
  const app = await build(t)
  for (const url of ['/problems/', ...kindNames.map(typeOf)]) {
    const { body, headers } = await app.inject(url)
    t.match(headers['content-security-policy'], /^default-src 'self';/)
    t.notMatch(body, /<style|\sstyle=|\son\w+=|<script|https?:\/\//)
    t.match(body, /<meta name="viewport"/)
    t.match(body, /<meta name="color-scheme" content="light dark"/)
  }
})

/** The text of a page, and of what is written for one: no marks, no room. */
function plain(text: string): string {
  return text
    .replaceAll(/<\/?[a-z][^>]*>/g, '')
    .replaceAll('`', '')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
}
