// slow: each example has a service of its own
import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request as send } from 'node:http'
import { text } from 'node:stream/consumers'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { NoFigures } from '../../src/workers/telling.js'
import type { App } from '../support/build.js'
import { operations } from '../support/contract.js'
import { apiKeys, read } from '../support/keys.js'
import { buildSampled, fillHeap } from '../support/overload.js'

const ada = { name: 'Ada Lovelace', salary: 120_000, department: 'Engineering' }
const LONG = '1'.repeat(1001)

interface Provocation {
  config?: Partial<Config>
  /** What is done to the service beforehand. */
  prepare?: (app: App) => unknown
  /** What is asked, in place of a good request. */
  request?: InjectOptions
  /** The id in the path, in place of somebody's. */
  id?: string
  isOverloaded?: boolean
  /** Node itself looks at it, and not at what is injected. */
  isOverNetwork?: boolean
}

/** How each error comes about, at any operation whose contract has it. */
const provocations: Record<string, Provocation> = {
  401: { config: { apiKeys } },
  403: { config: { apiKeys }, request: { headers: read } },
  404: { id: '7' },
  412: { request: { headers: { 'if-match': '"another"' } } },
  413: { request: { payload: JSON.stringify({ name: 'x'.repeat(70_000) }), headers: json() } },
  414: { id: LONG },
  415: { request: { payload: 'x', headers: { 'content-type': 'text/plain' } } },
  417: { request: { headers: { expect: 'nothing' } }, isOverNetwork: true },
  421: { request: { headers: { host: 'elsewhere.example' } } },
  422: {
    prepare: (app) => app.employees.create({ ...ada, salary: 1 }, { client: '', key: 'used' }),
    request: { headers: { 'idempotency-key': 'used' } },
  },
  429: { config: { rateLimitPerMinute: 600 }, prepare: useUp },
  500: { prepare: failAll },
  // What tells a load balancer is answered under any load.
  503: { isOverloaded: true, prepare: (app) => Object.assign(app, { isClosing: () => true }) },
}

/** As above, for an operation that is answered where others are not. */
const ofOne: Record<string, Provocation> = {
  'getStatus 200': { prepare: askForHighSalaries },
  'getStatus 429': { config: { apiKeys }, prepare: useUpRefusals },
  'getStatus 503': { prepare: (app) => Object.assign(app, { status: primaryIsSilent }) },
}

for (const { name, method, path, body, examples } of operations) {
  t.test(`${name} gives each example of its contract, errors and all`, async (t) => {
    for (const [status, example] of examples) {
      const provocation =
        status === 400
          ? wrong(example as Told)
          : (ofOne[`${name} ${status}`] ?? provocations[status] ?? {})
      const answer = await ask(t, { method, path, body }, provocation)
      if (status === 304) continue
      t.equal(answer.statusCode, status)
      t.strictSame(comparable(shownBy(example, answer.json())), comparable(example), `${status}`)
    }
  })
}

/** Asks a service that knows Ada alone, or for POST nobody. */
async function ask(
  t: Test,
  { method, path, body }: { method: string; path: string; body: object | undefined },
  { config, prepare, request, id = '1', isOverloaded, isOverNetwork }: Provocation,
) {
  const { app, sample } = await buildSampled(t, config)
  if (method !== 'POST') await app.employees.create(ada)
  await prepare?.(app)
  const heap = isOverloaded ? fillHeap(t) : undefined
  if (heap) sample()
  const url = path.replace('{id}', id)
  if (isOverNetwork) {
    const headers = request?.headers
    return askOver(await app.listen({ port: 0 }), { method, path: url, headers })
  }
  const payload = body && { payload: body }
  const answer = await app.inject({ method: method as 'GET', url, ...payload, ...request })
  heap?.empty()
  return answer
}

async function askOver(base: string, { method, path, headers = {} }: Asked) {
  const asking = send(`${base}${path}`, { method, headers, agent: false }).end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  const body = await text(response)
  return { statusCode: response.statusCode, json: () => JSON.parse(body) }
}

interface Asked {
  method: string
  path: string
  headers?: OutgoingHttpHeaders | undefined
}

type Told = { errors: { path: string; message: string }[] }

/** A request with the very fault that an example of a 400 tells of: "/body/salary must be …, got -1". */
function wrong({ errors: [error] }: Told): Provocation {
  const [, place, name = ''] = error?.path.split('/') ?? []
  const value = /, got (.*)$/.exec(error?.message ?? '')?.[1] as string
  if (place === 'params') return { id: value }
  if (place === 'query') return { request: { query: { [name]: value } } }
  return { request: { payload: { ...ada, [name]: JSON.parse(value) } } }
}

/** Of an answer, all but what the moment and the very long id make of it. */
function comparable(answer: unknown): unknown {
  const text = JSON.stringify(answer).replaceAll(LONG, LONG.slice(0, 20))
  return JSON.parse(
    text
      .replace(/in (?:\d+ seconds|1 minute)"/, 'in a while"')
      .replace(/"\d{4}-\d\d-\d\dT[^"]*Z"/g, '"a moment"')
      .replace(/"(changes|seconds)":[^,}]+/g, '"$1":1'),
  )
}

type Views = { views?: { name: string }[] }

/** An answer with the cached views that an example has: there may come more. */
function shownBy(example: unknown, answer: Views): unknown {
  const names = (example as Views).views?.map(({ name }) => name)
  if (!names) return answer
  return { ...answer, views: answer.views?.filter(({ name }) => names.includes(name)) }
}

/** Makes everything that is asked of the database fail. */
function failAll(app: App): void {
  const { employees, views } = app
  const fault = () => {
    throw new Error('a fault')
  }
  for (const method of ['create', 'get', 'update', 'delete', 'page', 'list', 'ping'] as const) {
    employees[method] = async () => fault()
  }
  views.version = fault
  app.status = async () => fault()
}

async function askForHighSalaries(app: App): Promise<void> {
  for (let count = 0; count < 3; count++) await app.inject('/employees/high-salary')
}

async function useUpRefusals(app: App): Promise<void> {
  for (let count = 0; count < 30; count++) await app.inject('/employees')
}

async function primaryIsSilent(): Promise<never> {
  throw new NoFigures()
}

/** All the requests that a client has in a minute. */
async function useUp(app: App): Promise<void> {
  for (let count = 0; count < 600; count++) await app.inject('/nothing')
}

function json() {
  return { 'content-type': 'application/json' }
}
