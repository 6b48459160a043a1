import { basename } from 'node:path'
import { scoped } from '../../test/support/scope.js'
import { type Row, serviceLoads } from '../rows.js'
import { ServerProcess } from '../servers/process.js'
import type { RowResult } from './results.js'
import { measureOn, type Plan, type Sample, summarize, WARM_UP } from './rounds.js'

/** What is not compared: it takes other code than the service's own. */
const NOT_COMPARED = /in Redis only/

/** How many steps {@link measureCheckouts} takes. */
export function stepsOfCheckouts(plan: Plan, checkouts: string[]): number {
  return 2 * plan.rounds * loadsOf(plan).length * (checkouts.length + 1)
}

/**
 * Measures this service, and that of other checkouts of it on the Node of each, in turns: all of a
 * load right behind one another, several times a round, each round with new processes.
 *
 * @param checkouts directories with a built service; the ratios are to the first
 */
export async function measureCheckouts(plan: Plan, checkouts: string[]): Promise<RowResult[]> {
  const loads = loadsOf(plan)
  const names = [...checkouts, undefined].map(nameOf)
  const rows = loads.flatMap((load) =>
    names.map((server, i) => ({
      load,
      of: i,
      row: { name: load.name, server, limit: i > 0 ? (names[0] as string) : undefined },
      samples: [] as Sample[],
    })),
  )
  for (let round = 0; round < plan.rounds; round++) {
    await scoped(async (scope) => {
      const servers: ServerProcess[] = []
      for (const checkout of [...checkouts, undefined]) {
        const databaseUrl = await plan.databases.create(plan.employees)
        const options = { kind: 'service', databaseUrl, logLevel: 'warn' } as const
        const server = await ServerProcess.start(scope, options, [], checkout)
        await server.ask('keep')
        servers.push(server)
      }
      const measure = ({ load, of }: (typeof rows)[number], seconds: number) =>
        measureOn(servers[of] as ServerProcess, load, seconds)
      for (const row of rows) {
        await measure(row, WARM_UP * plan.seconds)
        plan.onStep()
      }
      for (const load of loads) {
        const compared = rows.filter((row) => row.load === load)
        for (let pair = 0; pair < plan.pairs; pair++) {
          const [first, ...others] = compared
          if (!first) continue
          const limit = await measure(first, plan.seconds)
          first.samples.push({ own: limit })
          for (const other of others) {
            other.samples.push({ own: await measure(other, plan.seconds), limit })
          }
        }
        for (const _ of compared) plan.onStep()
      }
    })
  }
  return rows.map(({ row, samples }) => summarize(row, samples))
}

/** What a checkout is called in a table, or this one. */
export function nameOf(checkout: string | undefined): string {
  return checkout === undefined ? 'this one' : basename(checkout)
}

function loadsOf({ employees, only }: Plan): Omit<Row, 'server'>[] {
  return serviceLoads(employees).filter(
    ({ name }) => name.includes(only) && !NOT_COMPARED.test(name),
  )
}
