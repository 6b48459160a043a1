import { type Scope, scoped } from '../../test/support/scope.js'
import { Service } from '../../test/support/service.js'
import { median } from '../median.js'
import { GROWTH, growthLoads, type Load, VIEW_NAMES } from '../rows.js'
import { ServerProcess } from '../servers/process.js'
import type { Databases } from './database.js'
import { measure } from './load.js'
import type { GrowthResult } from './results.js'

const FILLS = 21
/** How often each load is measured in a round. */
const TURNS = 3

export interface GrowthPlan {
  databases: Databases
  sizes: number[]
  rounds: number
  seconds: number
  onStep: () => void
}

/** What was measured at one size of the table, each figure as often as it was taken. */
interface Samples {
  cpu: Map<string, number[]>
  fill: Map<string, number[]>
  startUp: number[]
}

/**
 * Measures the same at several sizes of the table. Each round has new processes, one for each size,
 * which take turns at every load.
 */
export async function measureGrowth(plan: GrowthPlan): Promise<GrowthResult[]> {
  const all = plan.sizes.map((): Samples => ({ cpu: new Map(), fill: new Map(), startUp: [] }))
  for (let round = 0; round < plan.rounds; round++) {
    await scoped(async (scope) => {
      const servers: ServerProcess[] = []
      for (const [i, employees] of plan.sizes.entries()) {
        servers.push(await start(scope, plan, employees, all[i] as Samples))
        plan.onStep()
      }
      await measureLoads(plan, servers, all)
    })
  }
  return all.map((samples, i) => summarize(plan.sizes[i] as number, samples))
}

async function start(
  scope: Scope,
  { databases }: GrowthPlan,
  employees: number,
  { fill, startUp }: Samples,
): Promise<ServerProcess> {
  const databaseUrl = await databases.create(employees)
  const begin = performance.now()
  const service = await Service.start(scope, { DATABASE_URL: databaseUrl })
  await (await fetch(`${service.url}/employees/1`)).json()
  startUp.push(performance.now() - begin)
  await service.stop()

  const server = await ServerProcess.start(scope, { kind: 'service', databaseUrl })
  for (const view of VIEW_NAMES) add(fill, view, await server.ask('fill', view, FILLS))
  return server
}

async function measureLoads(
  { sizes, seconds }: GrowthPlan,
  servers: ServerProcess[],
  all: Samples[],
): Promise<void> {
  const loads = sizes.map((employees) => growthLoads(employees))
  for (const name of Object.values(GROWTH)) {
    for (let turn = 0; turn <= TURNS; turn++) {
      for (const [i, server] of servers.entries()) {
        const load = loads[i]?.find((load) => load.name === name) as Load
        const { cpu } = await measure(server, load, seconds)
        // The first turn is to warm up.
        if (turn > 0) add((all[i] as Samples).cpu, name, cpu)
      }
    }
  }
}

function add(samples: Map<string, number[]>, name: string, value: number): void {
  samples.set(name, [...(samples.get(name) ?? []), value])
}

function summarize(employees: number, { cpu, fill, startUp }: Samples): GrowthResult {
  const medians = (samples: Map<string, number[]>) =>
    Object.fromEntries([...samples].map(([name, values]) => [name, median(values)]))
  return { employees, cpu: medians(cpu), fill: medians(fill), startUp: median(startUp) }
}
