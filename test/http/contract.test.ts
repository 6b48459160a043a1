import t from 'tap'
import { build } from '../support/build.js'
import { type Exchange, faultOf, isValid } from '../support/contract.js'
import { buildWithRoutes } from '../support/every-route.js'
import { shownViews } from '../support/shown-views.js'

type Content = Record<string, { schema: { $ref?: string }; example?: unknown }>

interface Operation {
  operationId: string
  requestBody?: { content: Content }
  responses: Record<string, { description: string; headers?: object; content?: Content }>
}

t.test('/openapi.json is OpenAPI 3.1', async (t) => {
  const app = await build(t)
  const answer = await app.inject('/openapi.json')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^application\/json/)
  t.match(answer.json(), { openapi: /^3\.1\.\d+$/, info: { title: String, version: String } })
})

t.test(
  'the contract has every route that is not hidden, each under a name of its own',
  async (t) => {
    const { app, routes } = await buildWithRoutes(t)
    const { paths } = (await app.inject('/openapi.json')).json()
    const operations = operationsOf(paths)
    const published = routes.filter(({ isPublished, method }) => isPublished && method !== 'HEAD')
    t.ok(published.length >= 10)
    t.strictSame(
      operations.map(([name]) => name).sort(),
      published.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`).sort(),
    )
    const names = operations.map(([, { operationId }]) => operationId)
    for (const name of names) t.match(name, /^[a-z]+(?:[A-Z][a-z0-9]*)+$/, 'the name of a method')
    t.equal(new Set(names).size, names.length)
  },
)

t.test('every view has its entity tag, its source, 304 and its tag in the contract', async (t) => {
  const app = await build(t)
  const { paths } = (await app.inject('/openapi.json')).json()
  for (const { path, view } of shownViews) {
    const { tags, parameters, responses } = paths[path].get
    t.strictSame(tags, ['views'], view.name)
    t.match(parameters, [{ in: 'header', name: 'If-None-Match' }], view.name)
    for (const status of ['200', '304']) {
      const told = Object.keys(responses[status].headers).slice(0, 2)
      t.strictSame(told, ['ETag', 'Cache-Status'], view.name)
    }
  }
})

t.test(
  'every answer has its id in the contract, and its limit where there may be one',
  async (t) => {
    const app = await build(t)
    const { paths, components } = (await app.inject('/openapi.json')).json()
    for (const [name, { responses }] of operationsOf(paths)) {
      for (const [status, { headers = {} }] of Object.entries(responses)) {
        t.ok('X-Request-Id' in headers, `${name} ${status}`)
        t.equal('RateLimit' in headers, '429' in responses, `${name} ${status}`)
        t.equal('Retry-After' in headers, status === '429' || status === '503', `${name} ${status}`)
        for (const each of Object.keys(headers)) t.ok(components.headers[each], each)
      }
    }
  },
)

t.test('every body of the contract is a named component, with an example', async (t) => {
  const app = await build(t)
  const { paths, components } = (await app.inject('/openapi.json')).json()
  for (const [name, { requestBody, responses }] of operationsOf(paths)) {
    const answers = Object.values(responses).flatMap(({ content }) => Object.values(content ?? {}))
    for (const { schema, example } of answers) {
      t.match(schema, { $ref: /^#\/components\/schemas\/[A-Z]\w+$/ }, name)
      t.ok(isValid(schema.$ref as string, example), `${name}: ${JSON.stringify(example)}`)
    }
    for (const { schema } of Object.values(requestBody?.content ?? {})) {
      t.match(schema, { $ref: /^#\/components\/schemas\/[A-Z]\w+$/ }, name)
    }
  }
  for (const [name, { examples }] of Object.entries<{ examples: unknown[] }>(components.schemas)) {
    t.ok(examples.length > 0, name)
    for (const example of examples) t.ok(isValid(`#/components/schemas/${name}`, example), name)
  }
})

t.test('an answer that the contract does not have is noticed', async (t) => {
  const employee = { id: 1, name: 'Ada', salary: 1, department: 'E' }
  const good: Exchange = {
    method: 'GET',
    url: '/employees/1?x',
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      etag: '"1"',
      'x-request-id': '1',
    },
    body: Buffer.from(JSON.stringify(employee)),
  }
  const body = (value: unknown) => ({ body: Buffer.from(JSON.stringify(value)) })
  t.equal(faultOf(good), undefined)
  for (const bad of [
    { status: 202 },
    { status: 304 },
    { headers: { ...good.headers, link: '</>' } },
    { headers: { ...good.headers, 'content-type': 'text/plain' } },
    { headers: { ...good.headers, 'x-new': '1' } },
    { headers: { ...good.headers, etag: undefined } },
    { headers: { ...good.headers, 'x-request-id': undefined } },
    { status: 421 },
    body({ ...employee, salary: '1' }),
    body({ ...employee, more: 1 }),
    body({ id: 1 }),
    body([employee]),
    { url: '/employees/high-salary' },
    { url: '/elsewhere', status: 404 },
  ]) {
    t.type(faultOf({ ...good, ...bad }), 'string', JSON.stringify(bad))
  }
})

t.test(
  'every pattern says the same with the u flag and without, as clients use either',
  async (t) => {
    const app = await build(t)
    const patterns = new Set<string>()
    const document = JSON.parse((await app.inject('/openapi.json')).body, (key, value) => {
      if (key === 'pattern') patterns.add(value)
      return value
    })
    const characters = Array.from({ length: 0x10_000 }, (_, code) => String.fromCharCode(code))
    const whole = [...characters.filter((character) => character.isWellFormed()), '😀', '👩‍🔬']
    const texts = whole.flatMap((character) => [character, `a${character}b`])
    for (const pattern of patterns) {
      const [units, points] = [new RegExp(pattern), new RegExp(pattern, 'u')]
      t.strictSame(
        texts.filter((text) => units.test(text) !== points.test(text)),
        [],
        pattern,
      )
    }
    const { name, department } = document.components.schemas.EmployeeCreate.properties
    for (const { pattern } of [name, department]) t.match('Ada 👩‍🔬', new RegExp(pattern))
  },
)

t.test('every error of the contract is a problem', async (t) => {
  const app = await build(t)
  const { paths } = (await app.inject('/openapi.json')).json()
  for (const [name, { responses }] of operationsOf(paths)) {
    for (const [status, { content }] of Object.entries(responses)) {
      if (status < '400') continue
      t.strictSame(Object.keys(content ?? {}), ['application/problem+json'], `${name} ${status}`)
    }
  }
})

t.test('every reference of the contract leads somewhere', async (t) => {
  const app = await build(t)
  const document = (await app.inject('/openapi.json')).json()
  const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)
  const targets = new Set([...references].map(([, target]) => target as string))
  t.ok(targets.size > 0)
  for (const target of targets) {
    const [root, ...path] = target.split('/')
    t.equal(root, '#')
    t.ok(
      path.reduce((node, key) => node?.[key], document),
      target,
    )
  }
})

t.test('/docs is a page whose parts are all there', async (t) => {
  const app = await build(t)
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /^text\/html/)
  const parts = [...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, part]) => part as string)
  t.ok(parts.length > 0)
  for (const part of parts) t.equal((await app.inject(part)).statusCode, 200, part)
})

function operationsOf(paths: Record<string, Record<string, Operation>>) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  )
}
