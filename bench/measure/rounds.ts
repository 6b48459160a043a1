import { PostgresServer } from '../../test/support/postgres-server.js'
import { RedisServer } from '../../test/support/redis-server.js'
import type { Scope } from '../../test/support/scope.js'
import { scoped } from '../../test/support/scope.js'
import { median } from '../median.js'
import { type Load, RECORDED, type Row, rowsOf, type Server } from '../rows.js'
import { serverBehind } from '../servers/postgres.js'
import { ServerProcess, type Target } from '../servers/process.js'
import type { Recorded } from '../servers/protocol.js'
import { startWorkers } from '../servers/workers.js'
import { createPostgres, type Databases } from './database.js'
import { type Measured, measure } from './load.js'
import type { RowResult } from './results.js'

/** How much longer than a measurement: until then the compiler is a part of what is measured. */
export const WARM_UP = 2

/** What a framework or Node adds to an answer by itself. */
const OWN_HEADERS = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']

export interface Plan {
  databases: Databases
  employees: number
  rounds: number
  /** How often a row that has a limit is measured in a round, with its limit in front. */
  pairs: number
  /** Only rows whose name contains this, with their limits. */
  only: string
  /** Of each measurement; a warm-up takes longer. */
  seconds: number
  /** Called for each measurement, of the warm-up too. */
  onStep: () => void
}

/** How many steps {@link measureRows} takes. */
export function stepsOf({ employees, rounds, only }: Plan): number {
  return 2 * rounds * rowsOf(employees, only).length
}

export interface Sample {
  own: Measured
  /** What the limit did just before. */
  limit?: Measured
}

/**
 * Measures every row in each round. Each round has new processes, since how the compiler was in luck
 * stays with a process for its life; and as the machine has its moments, a row that has a limit is
 * measured a few times, each time right behind its limit.
 */
export async function measureRows(plan: Plan): Promise<RowResult[]> {
  const rows = rowsOf(plan.employees, plan.only)
  const samples = new Map<Row, Sample[]>(rows.map((row) => [row, []]))
  for (let round = 0; round < plan.rounds; round++) {
    await scoped(async (scope) => {
      const servers = await startServers(scope, plan)
      const measureRow = (row: Row, seconds: number) => measureOn(servers[row.server], row, seconds)
      for (const row of rows) {
        await measureRow(row, WARM_UP * plan.seconds)
        plan.onStep()
      }
      for (const row of rows) {
        const limit = rows.find(({ name }) => name === row.limit)
        for (let pair = 0; pair < (limit ? plan.pairs : 1); pair++) {
          const before = limit && { limit: await measureRow(limit, plan.seconds) }
          samples.get(row)?.push({ ...before, own: await measureRow(row, plan.seconds) })
        }
        plan.onStep()
      }
    })
  }
  return rows.map((row) => summarize(row, samples.get(row) as Sample[]))
}

async function startServers(
  scope: Scope,
  { databases, employees }: Plan,
): Promise<Record<Server, Target>> {
  const redis = await RedisServer.start(scope)
  const create = () => databases.create(employees)
  const start = async (logLevel: 'info' | 'warn', redisUrl?: string) => {
    const options = { kind: 'service', databaseUrl: await create(), redisUrl, logLevel } as const
    const server = await ServerProcess.start(scope, options)
    await server.ask('keep')
    return server
  }
  const service = await start('warn')
  const answers = await Promise.all(RECORDED.map((path) => record(service.url, path)))
  // On the disk: what a commit costs is the question.
  const postgres = await PostgresServer.start(scope, { onDisk: true })
  const databaseUrl = await createPostgres(postgres, employees)
  const overPostgres = await ServerProcess.start(scope, { kind: 'service', databaseUrl })
  await overPostgres.ask('keep')
  const pool = { kind: 'pool', databaseUrl: await createPostgres(postgres, employees) } as const
  const servers = {
    service,
    'service + PostgreSQL': overPostgres,
    PostgreSQL: serverBehind(overPostgres, postgres),
    pool: await ServerProcess.start(scope, pool),
    'service + Redis': await start('warn', redis.url),
    'service + access log': await start('info'),
    'two workers': await startWorkers(scope, await create()),
    node: await ServerProcess.start(scope, { kind: 'node', answers }),
    fastify: await ServerProcess.start(scope, { kind: 'fastify', answers }),
  }
  // Code that has seen one kind of client only is compiled for that kind: to each its second.
  const { pool: _, ...others } = servers
  for (const { url } of Object.values(others)) {
    for (const path of RECORDED) await (await fetch(url + path)).arrayBuffer()
  }
  return servers
}

async function record(url: string, path: string): Promise<Recorded> {
  // The second answer is a hit.
  await (await fetch(url + path)).arrayBuffer()
  const answer = await fetch(url + path)
  const headers = [...answer.headers].filter(([name]) => !OWN_HEADERS.includes(name))
  return {
    path,
    headers: Object.fromEntries(headers),
    body: Buffer.from(await answer.arrayBuffer()),
  }
}

/** Measures what a row asks for, and puts back what it changed. */
export async function measureOn(
  server: Target,
  row: Load & Partial<Row>,
  seconds: number,
): Promise<Measured> {
  const requests = row.conditional ? await conditional(row, server.url) : row.requests
  if (!(server instanceof ServerProcess)) return measure(server, row, seconds)
  if (row.levels) await server.ask('use', row.levels)
  const measured = await measure(server, { ...row, requests }, seconds)
  if (row.levels) await server.ask('use', 'near')
  if (row.writes) await server.ask('restore')
  return measured
}

/** The requests, if what they ask for is still as it is now. */
async function conditional({ requests }: Load, url: string): Promise<Load['requests']> {
  return Promise.all(
    requests.map(async (request) => {
      const answer = await fetch(url + request.path)
      await answer.arrayBuffer()
      return { ...request, headers: { 'if-none-match': answer.headers.get('etag') ?? '' } }
    }),
  )
}

/** A row's medians, and those of its ratios to what was measured right before it. */
export function summarize(
  { name, server, limit }: Pick<RowResult, 'name' | 'server' | 'limit'>,
  samples: Sample[],
): RowResult {
  const middle = (figure: keyof Measured) => median(samples.map(({ own }) => own[figure]))
  const pairs = samples.flatMap(({ own, limit }) => (limit ? [{ own, limit }] : []))
  const against = (figure: keyof Measured) =>
    pairs.length > 0
      ? median(pairs.map((pair) => pair.own[figure] / pair.limit[figure]))
      : undefined
  return {
    name,
    server,
    limit,
    cpu: middle('cpu'),
    perSecond: middle('perSecond'),
    p50: middle('p50'),
    p99: middle('p99'),
    cpuRatio: against('cpu'),
    rateRatio: against('perSecond'),
  }
}
