// slow: each error has a service of its own
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { DatabaseUnavailable } from '../../src/store/sqlite/errors.js'
import { type App, build } from '../support/build.js'
import { operations } from '../support/contract.js'
import { apiKeys, read } from '../support/keys.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
/** Unknown to every operation that has a query or a body. */
const UNKNOWN = { payload: { unknown: 1 }, query: { unknown: '1' } }
const LONG = '1'.repeat(5000)

interface Provocation {
  config?: Partial<Config>
  /** What is done to the service beforehand. */
  prepare?: (app: App) => unknown
  /** What is asked, in place of a good request. */
  request?: InjectOptions
  /** The id in the path, in place of somebody's. */
  id?: string
}

/** How each error comes about, at any operation whose contract has it. */
const provocations: Record<string, Provocation> = {
  400: { request: UNKNOWN, id: 'x' },
  401: { config: { apiKeys } },
  403: { config: { apiKeys }, request: { headers: read } },
  404: { id: '7' },
  412: { request: { headers: { 'if-match': '"another"' } } },
  413: { request: { payload: JSON.stringify({ name: 'x'.repeat(70_000) }), headers: json() } },
  414: { id: LONG },
  415: { request: { payload: 'x', headers: { 'content-type': 'text/plain' } } },
  422: {
    prepare: (app) => app.employees.create({ ...ada, salary: 1 }, { client: '', key: 'used' }),
    request: { headers: { 'idempotency-key': 'used' } },
  },
  429: { config: { rateLimitPerMinute: 1 }, prepare: (app) => app.inject('/employees') },
  500: { prepare: (app) => failAll(app, () => new Error('a fault')) },
  503: { prepare: (app) => failAll(app, () => new DatabaseUnavailable('SQLITE_BUSY')) },
}

for (const { name, method, path, statuses } of operations) {
  t.test(`${name} gives each error of its contract`, async (t) => {
    for (const status of statuses.filter((status) => status >= 400)) {
      const given = await provoke(t, method, path, provocations[status] ?? {})
      t.equal(given, status, `${status}`)
    }
  })
}

/** The status of the answer; that its body is as the contract says is checked with every answer. */
async function provoke(
  t: Test,
  method: string,
  path: string,
  { config, prepare, request, id = '1' }: Provocation,
): Promise<number> {
  const app = await build(t, config)
  await app.employees.create(ada)
  await prepare?.(app)
  const body = ['POST', 'PUT', 'PATCH'].includes(method) ? { payload: ada } : {}
  const url = path.replace('{id}', id)
  const answer = await app.inject({ method: method as 'GET', url, ...body, ...request })
  return answer.statusCode
}

/** Makes everything that is asked of the database fail. */
function failAll({ employees, views }: App, fault: () => Error): void {
  for (const method of ['create', 'get', 'update', 'delete', 'page', 'list', 'ping'] as const) {
    employees[method] = async () => {
      throw fault()
    }
  }
  views.version = () => {
    throw fault()
  }
}

function json() {
  return { 'content-type': 'application/json' }
}
