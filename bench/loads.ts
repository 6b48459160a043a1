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

/** A load with a name, and what must be so before it begins. */
export interface Question extends Load {
  name: string
  levels?: Levels
  /** It changes employees, who are put back behind it. */
  writes?: boolean
  /** Its requests ask whether the view is still as it was when it began. */
  conditional?: boolean
  /** Its answers must be sent in this coding, which a server may have to make first. */
  coding?: Coding
}

export const CODINGS = ['br', 'zstd', 'gzip'] as const
export type Coding = (typeof CODINGS)[number]

export const VIEWS = {
  high: '/employees/high-salary',
  top2: '/employees/top2-by-department',
} as const

/** Of the views, in the database. */
export const VIEW_NAMES = ['high_salary_emps', 'top2_by_dept'] as const

export const ONE = '/employees/1'
const PAGE = '/employees?limit=20'

/** The answers that bare Fastify sends too. */
export const RECORDED = [VIEWS.high, VIEWS.top2, ONE, PAGE]

const FIFTY = { connections: 50, expected: [200] }
/** One at a time, so that no two requests share a fill. */
const ALONE = { connections: 1, expected: [200] }

/** Every question, over so many employees. */
export function questionsOf(employees: number) {
  return {
    high: viewQuestions('high-salary', VIEWS.high),
    top2: viewQuestions('top2-by-department', VIEWS.top2),
    one: { ...FIFTY, name: 'one employee', requests: [some(employees)] },
    page: { ...FIFTY, name: 'a page of 20', requests: [{ path: PAGE }] },
    list: {
      name: 'everybody, streamed',
      requests: [{ path: '/employees' }],
      connections: 5,
      expected: [200],
    },
    post: {
      name: 'POST, durable',
      requests: [post()],
      connections: 50,
      expected: [201],
      writes: true,
    },
    put: {
      ...FIFTY,
      name: 'PUT, durable',
      requests: [change(employees, () => 40_000 + random(50_000))],
      writes: true,
    },
    mixed: {
      ...FIFTY,
      name: '95 reads, 5 raises that evict',
      requests: mix(employees),
      writes: true,
    },
  } satisfies Record<string, Question | Record<string, Question>>
}

function viewQuestions(name: string, path: string) {
  const hit: Question = {
    ...FIFTY,
    name: `${name}, hit in this process`,
    requests: [{ path }],
    levels: 'near',
  }
  const coded = (coding: Coding): Question => ({
    ...hit,
    name: `${name}, hit, ${coding}`,
    requests: [{ path, headers: { 'accept-encoding': coding } }],
    coding,
  })
  return {
    hit,
    redis: { ...hit, name: `${name}, hit in Redis only`, levels: 'redis' },
    br: coded('br'),
    zstd: coded('zstd'),
    gzip: coded('gzip'),
    unchanged: { ...hit, name: `${name}, 304`, conditional: true, expected: [304] },
    miss: { ...ALONE, name: `${name}, miss, one connection`, requests: [{ path }], levels: 'none' },
  } satisfies Record<string, Question>
}

/** Errors, which every server is asked for too before anything is measured. */
export const ERRORS: Load[] = [
  // Bare Fastify knows one employee only, whatever the id.
  { requests: [{ path: '/employees/999999999' }], connections: 10, expected: [200, 404] },
  { requests: [{ path: '/nothing' }], connections: 10, expected: [404] },
  { requests: [{ ...post(), body: '{"name":1}' }], connections: 10, expected: [400] },
]

/** What is measured at several sizes of the table. */
export function growthLoads(employees: number): Question[] {
  const { one, top2, post } = questionsOf(employees)
  return [one, { ...top2.hit, name: GROWTH.hit }, post]
}

export const GROWTH = {
  one: 'one employee',
  hit: 'top2-by-department, hit',
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

/** Gives an employee a salary, another one each time. */
function change(employees: number, salary: () => number): Request {
  return {
    method: 'PUT',
    path: ONE,
    headers: { 'content-type': 'application/json' },
    setupRequest: (request) => ({
      ...request,
      path: `/employees/${1 + random(employees)}`,
      body: JSON.stringify({ salary: salary() }),
    }),
  }
}

/** Reads of the views and of employees, and one raise in twenty that puts somebody into a view. */
function mix(employees: number): Request[] {
  const one = some(employees)
  const reads = [{ path: VIEWS.high }, { path: VIEWS.top2 }, one, one, one]
  const raise = change(employees, () => 100_001 + random(50_000))
  return [...Array.from({ length: 19 }, (_, i) => reads[i % 5] as Request), raise]
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}
