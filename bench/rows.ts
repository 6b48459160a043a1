import type { Request } from 'autocannon'
import type { Levels } from './servers/protocol.js'

/** What is asked of a server, by how many connections at once. */
export interface Load {
  requests: Request[]
  connections: number
  /** Requests in a second, of all connections; as many as it takes if left out. */
  rate?: number
  /** The statuses that an answer may have. */
  expected: number[]
}

/** The servers that run at the same time; a round asks each of them in turn. */
export type Server =
  | 'node'
  | 'fastify'
  | 'service'
  | 'service + Redis'
  | 'service + access log'
  | 'two workers'
  | 'service + PostgreSQL'
  | 'PostgreSQL'
  | 'pool'

/** A load on a server, and with which other row of the same run it is compared. */
export interface Row extends Load {
  name: string
  server: Server
  levels?: Levels
  /** It changes employees, who are put back behind it. */
  writes?: boolean
  /** Its requests ask whether the view is still as it was when the row began. */
  conditional?: boolean
  /** The name of the row on bare Fastify that sends or checks the same. */
  limit?: string | undefined
}

export const VIEWS = {
  high: '/employees/high-salary',
  top2: '/employees/top2-by-department',
} as const

/** Of the views, in the database. */
export const VIEW_NAMES = ['high_salary_emps', 'top2_by_dept'] as const

const ONE = '/employees/1'

/** The answers that the bare servers send too, in the order of the rows. */
export const RECORDED = [VIEWS.high, VIEWS.top2, ONE]

export const LIMITS = {
  high: 'high-salary, bare Fastify',
  top2: 'top2-by-department, bare Fastify',
  one: 'one employee, bare Fastify',
  post: 'POST that stores nothing, bare Fastify',
  pool: 'POST, a pool of 8 connections that commit each',
} as const

const HIT = 'top2-by-department, hit in this process'
const POST = 'POST, durable'

/** Every row of the table, in its order, over so many employees. */
export function rowsOf(employees: number, only = ''): Row[] {
  const loads = serviceLoads(employees)
  const rows: Row[] = [
    ...(['node', 'fastify'] as const).flatMap((server) => bareLoads(server)),
    ...(['service', 'service + Redis'] as const).flatMap((server) =>
      loads.map((load) => ({ ...load, server })),
    ),
    ...(['service + access log', 'two workers'] as const).flatMap((server) =>
      loads.filter(({ name }) => ALSO.has(name)).map((load) => ({ ...load, server })),
    ),
    ...postgresLoads(loads),
  ]
  const chosen = rows.filter(({ name }) => name.includes(only))
  const limits = new Set(chosen.map(({ limit }) => limit))
  return rows.filter((row) => chosen.includes(row) || limits.has(row.name))
}

/** What is measured with the access log, and with two workers, too. */
const ALSO = new Set([HIT, POST])

/** What is measured over PostgreSQL, too; what has the same name over SQLite is its limit. */
const OVER_POSTGRES = new Set([
  'high-salary, hit in this process',
  HIT,
  'top2-by-department, miss, one connection',
  'top2-by-department, 304',
  'one employee',
  'a page of 100',
  'PUT, durable',
])

function postgresLoads(loads: Omit<Row, 'server'>[]): Row[] {
  const hit = loads.find(({ name }) => name === HIT) as Row
  const write = loads.find(({ name }) => name === POST) as Row
  const over = loads.filter(({ name }) => OVER_POSTGRES.has(name))
  const { requests, connections, expected } = write
  return [
    { name: LIMITS.pool, server: 'pool', requests, connections, expected },
    ...over.map((load) => ({ ...load, server: 'service + PostgreSQL' as const, limit: load.name })),
    { ...write, server: 'service + PostgreSQL', limit: LIMITS.pool },
    // What the database itself has to do for them.
    { ...hit, server: 'PostgreSQL', limit: undefined },
  ]
}

const FIFTY = { connections: 50, expected: [200] }
/** One at a time, so that no two requests share a fill. */
const ALONE = { connections: 1, expected: [200] }

function bareLoads(server: 'node' | 'fastify'): Row[] {
  const title = server === 'node' ? 'node:http' : 'bare Fastify'
  const get = (what: string, path: string) => ({
    ...FIFTY,
    name: `${what}, ${title}`,
    server,
    requests: [{ path }],
  })
  const rows: Row[] = [
    get('high-salary', VIEWS.high),
    get('top2-by-department', VIEWS.top2),
    get('one employee', ONE),
  ]
  if (server === 'fastify') {
    rows.push({ ...FIFTY, name: LIMITS.post, server, requests: [post()], expected: [201] })
  }
  return rows
}

export function serviceLoads(employees: number): Omit<Row, 'server'>[] {
  const views = Object.entries(VIEWS).flatMap(([key, path]) => {
    const name = path.slice('/employees/'.length)
    const limit = LIMITS[key as keyof typeof VIEWS]
    const requests = [{ path }]
    return [
      { ...FIFTY, name: `${name}, hit in this process`, requests, limit, levels: 'near' as const },
      { ...FIFTY, name: `${name}, hit in Redis only`, requests, limit, levels: 'redis' as const },
      { ...ALONE, name: `${name}, hit, one connection`, requests, levels: 'near' as const },
      { ...ALONE, name: `${name}, miss, one connection`, requests, levels: 'none' as const },
    ]
  })
  const one = some(employees)
  const put = somebody(employees, () => ({ salary: 40_000 + random(50_000) }))
  const raise = somebody(employees, () => ({ salary: 100_001 + random(50_000) }))
  const reads = [{ path: VIEWS.high }, { path: VIEWS.top2 }, one, one, one]
  const page = { path: '/employees?limit=100' }
  return [
    ...views,
    {
      name: 'top2-by-department, 304',
      requests: [{ path: VIEWS.top2 }],
      conditional: true,
      connections: 50,
      expected: [304],
      limit: LIMITS.top2,
    },
    { ...FIFTY, name: 'one employee', requests: [one], limit: LIMITS.one },
    { ...FIFTY, name: 'a page of 100', requests: [page] },
    {
      name: 'everybody, streamed',
      requests: [{ path: '/employees' }],
      connections: 5,
      expected: [200],
    },
    {
      name: POST,
      requests: [post()],
      connections: 50,
      expected: [201],
      writes: true,
      limit: LIMITS.post,
    },
    { ...FIFTY, name: 'PUT, durable', requests: [put], writes: true },
    {
      ...FIFTY,
      name: '95 reads, 5 raises that evict',
      writes: true,
      requests: [...Array.from({ length: 19 }, (_, i) => reads[i % 5] as Request), raise],
    },
  ]
}

/** What is measured at several sizes of the table. */
export function growthLoads(employees: number): (Load & { name: string })[] {
  return [
    { ...FIFTY, name: GROWTH.one, requests: [some(employees)] },
    { ...FIFTY, name: GROWTH.hit, requests: [{ path: VIEWS.top2 }] },
    { ...FIFTY, name: GROWTH.page, requests: [{ path: '/employees?limit=100' }] },
    { ...FIFTY, name: GROWTH.post, requests: [post()], expected: [201] },
  ]
}

export const GROWTH = {
  one: 'one employee',
  hit: 'top2-by-department, hit',
  page: 'a page of 100',
  post: 'POST, durable',
} as const

/** What others ask for during long work. */
export function pauseLoad(employees: number): Load {
  return { connections: 10, requests: [some(employees)], expected: [200] }
}

function post(): Request {
  const employee = { name: 'Grace Hopper', salary: 52_000, department: 'Engineering' }
  return {
    method: 'POST',
    path: '/employees',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(employee),
  }
}

/** Reads an employee, another one each time. */
function some(employees: number): Request {
  return {
    path: ONE,
    setupRequest: (request) => ({ ...request, path: `/employees/${1 + random(employees)}` }),
  }
}

/** Changes an employee, another one each time. */
function somebody(employees: number, change: () => object): Request {
  return {
    method: 'PUT',
    path: ONE,
    headers: { 'content-type': 'application/json' },
    setupRequest: (request) => ({
      ...request,
      path: `/employees/${1 + random(employees)}`,
      body: JSON.stringify(change()),
    }),
  }
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}
