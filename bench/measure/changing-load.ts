import { VIEWS } from '../loads.js'

/** Whom a client may ask for, and change. */
export interface Known {
  employees: number
  /** With a high salary. */
  high: number[]
  /** In the ranking. */
  top: { id: number; salary: number }[]
}

/** A request of one of the clients. */
export interface Asked {
  method: 'GET' | 'PATCH'
  path: string
  body?: string
}

/** A client with one connection, which has one request at a time. */
interface Client {
  ask(known: Known): Asked
  /** When the next request is due, in milliseconds, after one that was due then and is answered now. */
  next(due: number, now: number): number
}

/** Each of them changes what `high-salary` shows, */
export const WRITES_PER_SECOND = 20
const PERIOD_MS = 1000 / WRITES_PER_SECOND
/** and one of so many what the ranking shows. */
const TOP_EVERY = 4

export type ClientName = 'high-salary' | 'top2-by-department' | 'one employee' | 'PATCH'
export const CLIENTS: Record<ClientName, Client> = {
  // Meanwhile there was a write, so that nearly each is a miss.
  'high-salary': { ask: () => get(VIEWS.high), next: thinking(PERIOD_MS, 2 * PERIOD_MS) },
  'top2-by-department': { ask: () => get(VIEWS.top2), next: thinking(PERIOD_MS, 2 * PERIOD_MS) },
  'one employee': {
    ask: ({ employees }) => get(`/employees/${1 + Math.floor(Math.random() * employees)}`),
    next: thinking(0, 10),
  },
  PATCH: { ask: raise, next: (due) => due + PERIOD_MS },
}

function get(path: string): Asked {
  return { method: 'GET', path }
}

function thinking(least: number, most: number): Client['next'] {
  return (_due, now) => now + between(least, most)
}

/** Who was in the ranking stays in it; others stay out of it, and in `high-salary`. */
function raise({ high, top }: Known): Asked {
  const someone = Math.random() * TOP_EVERY < 1 ? pick(top) : undefined
  const id = someone ? someone.id : pick(high)
  const salary = someone ? someone.salary * between(1, 1.01) : between(100_001, 110_000)
  const body = JSON.stringify({ salary: Math.round(100 * salary) / 100 })
  return { method: 'PATCH', path: `/employees/${id}`, body }
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least)
}

function pick<T>(values: T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T
}
