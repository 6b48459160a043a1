import { PostgresServer } from '../../test/support/postgres-server.js'
import { scoped } from '../../test/support/scope.js'
import { VIEWS } from '../loads.js'
import { median } from '../median.js'
import { serverBehind } from '../servers/postgres.js'
import { ServerProcess } from '../servers/process.js'
import { createPostgres } from './database.js'
import { measure } from './load.js'

/** What so many processes over one PostgreSQL did, each asked at the same rate. */
export interface ScaleResult {
  processes: number
  /** Hits in all, in a second. */
  hits: number
  /** Trains of all processes, in a second, and as the model has it. */
  trains: number
  predictedTrains: number
  /** CPU time of PostgreSQL in a second, in milliseconds, and as the model has it. */
  postgresMs: number
  predictedMs: number
}

const PROCESSES = [1, 2, 3]
const CONNECTIONS = 20

interface Sample {
  hits: number
  trains: number
  postgresMs: number
}

/**
 * Measures what processes ask of one PostgreSQL, and holds it against the model of docs/scale.md, which has
 * its two figures (how long a train is under way, and what it costs) from one process alone.
 *
 * @param rate hits of each process in a second, which must leave the machine time
 */
export async function measureScale(
  employees: number,
  rate: number,
  seconds: number,
  rounds: number,
): Promise<ScaleResult[]> {
  const samples = PROCESSES.map((): Sample[] => [])
  await scoped(async (scope) => {
    const postgres = await PostgresServer.start(scope, { onDisk: true })
    const databaseUrl = await createPostgres(postgres, employees)
    const start = () => ServerProcess.start(scope, { kind: 'service', databaseUrl })
    const servers = [await start(), await start(), await start()]
    for (const server of servers) await sample([server], postgres, rate, seconds)
    for (let round = 0; round < rounds; round++) {
      for (const [i, count] of PROCESSES.entries()) {
        samples[i]?.push(await sample(servers.slice(0, count), postgres, rate, seconds))
      }
    }
  })
  const measured = samples.map((each) => ({
    hits: median(each.map(({ hits }) => hits)),
    trains: median(each.map(({ trains }) => trains)),
    postgresMs: median(each.map(({ postgresMs }) => postgresMs)),
  }))
  const [alone] = measured as [Sample]
  const roundTrip = roundTripOf(alone.hits, alone.trains)
  const cost = alone.postgresMs / alone.trains
  return measured.map((each, i) => {
    const processes = PROCESSES[i] as number
    const predictedTrains = processes * trainsAt(each.hits / processes, roundTrip)
    return { processes, ...each, predictedTrains, predictedMs: predictedTrains * cost }
  })
}

async function sample(
  servers: ServerProcess[],
  postgres: PostgresServer,
  rate: number,
  seconds: number,
): Promise<Sample> {
  const database = serverBehind(servers[0] as ServerProcess, postgres)
  const before = { cpu: await database.cpu(), trains: await trainsOf(servers) }
  const load = {
    requests: [{ path: VIEWS.top2 }],
    connections: CONNECTIONS,
    expected: [200],
    rate,
  }
  const started = performance.now()
  const measured = await Promise.all(servers.map((server) => measure(server, load, seconds)))
  const took = (performance.now() - started) / 1000
  const trains = (await trainsOf(servers)) - before.trains
  return {
    hits: measured.reduce((sum, { perSecond }) => sum + perSecond, 0),
    trains: trains / took,
    postgresMs: ((await database.cpu()) - before.cpu) / 1000 / took,
  }
}

/** Trains of all processes so far. */
async function trainsOf(servers: ServerProcess[]): Promise<number> {
  const counts = await Promise.all(
    servers.map(async ({ url }) => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return Number(/^employees_database_probes_total (\d+)$/m.exec(metrics)?.[1])
    }),
  )
  return counts.reduce((sum, count) => sum + count)
}

/**
 * Trains of a process in a second: one is under way for a round trip, and the next begins with the first
 * request that comes: at once, if one came meanwhile (requests come by chance: Poisson).
 *
 * @param rate requests in a second
 * @param roundTrip seconds
 */
export function trainsAt(rate: number, roundTrip: number): number {
  return 1 / (roundTrip + Math.exp(-rate * roundTrip) / rate)
}

/** The round trip at which {@link trainsAt} gives so many trains, by bisection; seconds. */
export function roundTripOf(rate: number, trains: number): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (trainsAt(rate, middle) > trains) low = middle
    else high = middle
  }
  return low
}
