import t from 'tap'
import { build } from '../support/build.js'

interface Operation {
  operationId: string
  responses: Record<string, { description: string; content?: object }>
}

t.test('/openapi.json is OpenAPI 3.1', async (t) => {
  const app = await build(t)
  const answer = await app.inject('/openapi.json')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^application\/json/)
  t.match(answer.json(), { openapi: /^3\.1\.\d+$/, info: { title: String, version: String } })
})

t.test('the contract has every operation once, under an operationId of its own', async (t) => {
  const app = await build(t)
  const { paths } = (await app.inject('/openapi.json')).json()
  const operations = operationsOf(paths)
  t.strictSame(operations.map(([name]) => name).sort(), [
    'DELETE /employees/{id}',
    'GET /employees',
    'GET /employees/high-salary',
    'GET /employees/top2-by-department',
    'GET /employees/{id}',
    'GET /livez',
    'GET /readyz',
    'PATCH /employees/{id}',
    'POST /employees',
    'PUT /employees/{id}',
  ])
  const operationIds = operations.map(([, { operationId }]) => operationId)
  t.strictSame(operationIds.filter(Boolean).length, operations.length)
  t.equal(new Set(operationIds).size, operations.length)
})

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
