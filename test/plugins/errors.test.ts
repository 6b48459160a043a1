import { DrizzleQueryError } from 'drizzle-orm'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { type Kind, kinds } from '../../src/problems/kinds.js'
import { DatabaseUnavailable, unwrapped } from '../../src/store/errors.js'
import { build } from '../support/build.js'
import { shellOf } from '../support/shell.js'
import { shownViews } from '../support/shown-views.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const JSON_TYPE = { 'content-type': 'application/json' }
const EMPLOYEE = '/employees/1'

const errors: Record<string, InjectOptions & { kind: Kind; instance?: string }> = {
  'an invalid body': { kind: 'validation', method: 'POST', url: '/employees', payload: {} },
  'a body that is no JSON': {
    kind: 'malformed-body',
    method: 'PUT',
    url: EMPLOYEE,
    payload: '{',
    headers: JSON_TYPE,
  },
  'an invalid query': { kind: 'validation', url: '/employees?limit=0&department=Engineering' },
  'a bad cursor': { kind: 'validation', url: '/employees?after=x' },
  'an invalid id': { kind: 'validation', url: '/employees/abc?x=1' },
  'a bad percent-encoding': {
    kind: 'malformed-url',
    url: '/employees/%E0%A4%A',
    instance: '/employees/%E0%A4%25A',
  },
  'a broken one': { kind: 'malformed-url', url: '/%zz', instance: '/%25zz' },
  'an employee who does not exist': { kind: 'no-such-employee', url: '/employees/2?x=1' },
  'a path that does not exist': { kind: 'not-found', url: '/nowhere?x=1' },
  'a path below an employee': { kind: 'not-found', url: '/employees/1/salary' },
  'a path with other letters': { kind: 'not-found', url: '/Employees' },
  'a method that the path does not have': {
    kind: 'method-not-allowed',
    method: 'DELETE',
    url: '/employees?x=1',
  },
  'a failed If-Match': {
    kind: 'precondition-failed',
    method: 'DELETE',
    url: EMPLOYEE,
    headers: { 'if-match': '"a"' },
  },
  'a body that is too large': {
    kind: 'body-too-large',
    method: 'POST',
    url: '/employees',
    payload: ' '.repeat(70_000),
    headers: JSON_TYPE,
  },
  'an id that is too long': { kind: 'uri-too-long', url: `/employees/${'1'.repeat(5000)}` },
  'another media type': {
    kind: 'unsupported-media-type',
    method: 'POST',
    url: '/employees',
    payload: 'x',
    headers: { 'content-type': 'text/plain' },
  },
}

for (const [what, { kind, instance: path, ...request }] of Object.entries(errors)) {
  const { status, title: known } = kinds[kind]
  t.test(`${what} is a ${status} problem, ${kind}`, async (t) => {
    const app = await build(t)
    await app.employees.createMany([ada])
    const headers = { 'x-request-id': 'asked-1', ...request.headers }
    const answer = await app.inject({ ...request, headers })
    t.equal(answer.statusCode, status)
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.equal(answer.headers['cache-control'], 'no-store')
    t.equal(answer.headers['x-request-id'], 'asked-1')
    t.notOk(answer.headers.etag)
    t.equal(answer.headers['x-content-type-options'], 'nosniff')

    const { type, title, status: told, detail, instance, errors, ...rest } = answer.json()
    t.strictSame(
      { type, title, status: told, instance },
      {
        type: `/problems/${kind}`,
        title: known,
        status,
        instance: path ?? `${request.url}`.split('?')[0],
      },
    )
    t.match(detail, /.../)
    t.strictSame(rest, {}, 'nothing else')
    if (status === 400) t.match(errors, [{ path: String, code: String, message: /.../ }])
    else t.equal(errors, undefined)
    t.notMatch(answer.body, /node_modules|\\n *at /, 'no stack trace')

    t.strictSame((await app.inject('/employees')).json(), [{ id: 1, ...ada }], 'nothing changed')
  })
}

t.test('an error that nobody foresaw is a 500 that tells nothing of the inside', async (t) => {
  const app = await build(t)
  await (await shellOf(t, app)).run('ALTER TABLE employees RENAME TO elsewhere')
  const views = shownViews.map(({ path }) => path)
  for (const url of ['/employees/1', '/employees?limit=1', ...views]) {
    const answer = await app.inject(url)
    t.match(answer.json(), {
      status: 500,
      type: '/problems/internal',
      instance: url.split('?')[0],
    })
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.notMatch(answer.body, /database|sqlite|postgres|table|relation|elsewhere|\.[jt]s\b/i)
  }
})

t.test(
  'what a library wraps an error in does not hide its status, nor show what it has',
  async (t) => {
    const app = await build(t)
    app.employees.get = async () => {
      throw new Error('Failed query: params: 120000', { cause: new DatabaseUnavailable('away') })
    }
    const answer = await app.inject('/employees/1')
    t.equal(answer.statusCode, 503)
    t.equal(answer.headers['retry-after'], '1')
    t.match(answer.json(), { detail: /^The database cannot do this now \(away\)/ })
  },
)

t.test('what Drizzle says of a query that failed never comes into the log', async (t) => {
  const app = await build(t)
  const lost = new DatabaseUnavailable('away')
  app.employees.get = async () => {
    throw new DrizzleQueryError('SELECT salary', ['120000'], lost)
  }
  t.equal((await app.inject('/employees/1')).statusCode, 503)
  const unforeseen = new Error('no such table')
  for (const cause of [lost, unforeseen]) {
    t.equal(unwrapped(new DrizzleQueryError('SELECT salary', ['120000'], cause)), cause)
  }
})
