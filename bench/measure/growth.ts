import { scoped } from '../../test/support/scope.js'
import { Service } from '../../test/support/service.js'
import { growthLoads, VIEW_NAMES } from '../rows.js'
import { ServerProcess } from '../servers/process.js'
import type { Databases } from './database.js'
import { measure } from './load.js'
import { median } from './median.js'
import type { GrowthResult } from './results.js'

const FILLS = 21

export interface GrowthPlan {
  databases: Databases
  sizes: number[]
  rounds: number
  seconds: number
  onStep: () => void
}

/** Measures the same at several sizes of the table, which take turns in each round. */
export async function measureGrowth(plan: GrowthPlan): Promise<GrowthResult[]> {
  const samples = plan.sizes.map(() => [] as GrowthResult[])
  for (let round = 0; round < plan.rounds; round++) {
    for (const [i, employees] of plan.sizes.entries()) {
      samples[i]?.push(await measureSize(plan, employees))
      plan.onStep()
    }
  }
  return samples.map(summarize)
}

async function measureSize(
  { databases, seconds }: GrowthPlan,
  employees: number,
): Promise<GrowthResult> {
  return scoped(async (scope) => {
    const databaseUrl = await databases.create(employees)
    const start = performance.now()
    const service = await Service.start(scope, { DATABASE_URL: databaseUrl })
    await (await fetch(`${service.url}/employees/1`)).json()
    const startUp = performance.now() - start
    await service.stop()

    const server = await ServerProcess.start(scope, { kind: 'service', databaseUrl })
    const result: GrowthResult = { employees, cpu: {}, fill: {}, startUp }
    for (const view of VIEW_NAMES) {
      result.fill[view] = await server.ask('fill', view, FILLS)
    }
    for (const { name, ...load } of growthLoads(employees)) {
      await measure(server, load, seconds / 2)
      result.cpu[name] = (await measure(server, load, seconds)).cpu
    }
    return result
  })
}

function summarize(samples: GrowthResult[]): GrowthResult {
  const [{ employees, cpu, fill }] = samples as [GrowthResult]
  const middle = (of: (sample: GrowthResult) => number) => median(samples.map(of))
  const each = (names: object, of: (sample: GrowthResult, name: string) => number) =>
    Object.fromEntries(
      Object.keys(names).map((name) => [name, middle((sample) => of(sample, name))]),
    )
  return {
    employees,
    cpu: each(cpu, (sample, name) => sample.cpu[name] as number),
    fill: each(fill, (sample, name) => sample.fill[name] as number),
    startUp: middle(({ startUp }) => startUp),
  }
}
