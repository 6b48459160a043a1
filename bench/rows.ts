import { type Question, questionsOf } from './loads.js'

/** The servers that run at the same time; a round asks each of them in turn. */
export type Server =
  | 'bare Fastify'
  | 'service'
  | 'service + Redis'
  | 'BentoCache'
  | '@fastify/caching'
  | 'service + access log'
  | 'two workers'
  | 'service + PostgreSQL'
  | 'PostgreSQL'
  | 'pool of 8'

/** A question to a server. */
export interface Row extends Question {
  server: Server
}

/** What is measured right behind one another; the limit first, if there is one. */
export interface Group {
  limit?: Row
  rows: Row[]
}

const OURS: Server[] = ['service', 'service + Redis']
/** What one would take instead. */
const PEERS: Server[] = ['BentoCache', '@fastify/caching']

/**
 * Every group of the table, in its order.
 *
 * @param employees in each database
 * @param only of a group only rows whose name contains this, with their limit
 */
export function groupsOf(employees: number, only = ''): Group[] {
  const { high, top2, one, page, list, post, put, mixed } = questionsOf(employees)
  return [
    bare(high.hit, ...OURS, ...PEERS),
    bare(top2.hit, ...OURS, ...PEERS, 'service + access log', 'two workers'),
    bare(high.redis, 'service + Redis'),
    bare(top2.redis, 'service + Redis'),
    // The limit of a compressed hit, and of none at all, is the hit that everybody knows.
    ...[high, top2].map(({ hit, br, zstd, gzip, unchanged }) => ({
      limit: on('service', hit),
      rows: [br, zstd, gzip, unchanged].map((question) => on('service', question)),
    })),
    bare(one, 'service', ...PEERS),
    bare(page, 'service', ...PEERS),
    bare(post, ...OURS, ...PEERS),
    beside(put, 'service', ...PEERS),
    beside(mixed, ...OURS, ...PEERS),
    beside(high.miss, 'service', ...PEERS),
    beside(top2.miss, 'service', ...PEERS),
    beside(list, 'service'),
    ...[high.hit, top2.hit, top2.miss].map((question) => ({
      limit: on('service', question),
      rows: [on('service + PostgreSQL', question)],
    })),
    { limit: on('pool of 8', post), rows: [on('service + PostgreSQL', post)] },
    // What the database itself has to do for them.
    beside(top2.hit, 'PostgreSQL'),
  ]
    .map(({ limit, rows }: Group) => ({
      ...(limit && { limit }),
      rows: rows.filter(({ name }) => name.includes(only)),
    }))
    .filter(({ rows }) => rows.length > 0)
}

/** The limit is bare Fastify, which sends the same bytes and headers, or checks the same body. */
function bare({ levels, ...question }: Question, ...servers: Server[]): Group {
  const ours = levels ? { ...question, levels } : question
  return { limit: on('bare Fastify', question), ...beside(ours, ...servers) }
}

function beside(question: Question, ...servers: Server[]): Group {
  return { rows: servers.map((server) => on(server, question)) }
}

function on(server: Server, question: Question): Row {
  return { server, ...question }
}

/** What identifies a row of the results, however often it is in a group. */
export function keyOf({ server, name }: Pick<Row, 'server' | 'name'>): string {
  return `${server}: ${name}`
}

/** Every load that a server can answer, each once. */
export function questionsFor(server: Server, employees: number): Row[] {
  const all = groupsOf(employees).flatMap(({ limit, rows }) => (limit ? [limit, ...rows] : rows))
  return [
    ...new Map(all.filter((row) => row.server === server).map((row) => [row.name, row])).values(),
  ]
}

/** What other checkouts of the service are asked for, too. */
export function checkoutQuestions(employees: number, only = ''): Question[] {
  return questionsFor('service', employees).filter(({ name }) => name.includes(only))
}
