import { join } from 'node:path'
import { type Scope, scoped } from '../../test/support/scope.js'
import { SERVER, Service } from '../../test/support/service.js'
import { GROWTH, growthLoads, type Load, questionsOf, VIEW_NAMES } from '../loads.js'
import { median } from '../median.js'
import { apart } from '../servers/cores.js'
import { ServerProcess } from '../servers/process.js'
import { nameOf } from './checkouts.js'
import type { Databases } from './database.js'
import { measure } from './load.js'
import { measureOn, OtherAnswer } from './question.js'
import type { GrowthResult } from './results.js'

const FILLS = 21
/** A window over more rows takes so long that it is asked for less often, but once. */
const ROWS_OF_WINDOWS = 200_000

export interface GrowthPlan {
  databases: Databases
  sizes: number[]
  rounds: number
  /** How often each load is measured in a round, after one to warm up. */
  turns: number
  seconds: number
  /** Other built services, which are measured beside this one. */
  checkouts: string[]
  onStep: () => void
}

/** A service over a table of some size, and what was measured of it, as often as it was. */
interface Measured {
  checkout: string | undefined
  employees: number
  cpu: Map<string, number[]>
  fill: Map<string, number[]>
  startUp: number[]
  window: number[]
  miss: number[]
  windowRatio: number[]
}

/** How many steps {@link measureGrowth} takes. */
export function stepsOfGrowth({ sizes, rounds, checkouts }: GrowthPlan): number {
  return sizes.length * rounds * (checkouts.length + 1)
}

/**
 * Measures the same at several sizes of the table. Each round has new processes, one for each size and
 * checkout, which take turns at every load.
 */
export async function measureGrowth(plan: GrowthPlan): Promise<GrowthResult[]> {
  const all = plan.sizes.flatMap((employees) =>
    [...plan.checkouts, undefined].map((checkout): Measured => {
      const none = { startUp: [], window: [], miss: [], windowRatio: [] }
      return { checkout, employees, cpu: new Map(), fill: new Map(), ...none }
    }),
  )
  for (let round = 0; round < plan.rounds; round++) {
    await scoped(async (scope) => {
      const servers: ServerProcess[] = []
      for (const each of all) {
        servers.push(await start(scope, plan, each))
        plan.onStep()
      }
      await apart(() => measureLoads(plan, servers, all))
    })
  }
  return all.map(summarize)
}

async function start(
  scope: Scope,
  { databases }: GrowthPlan,
  { checkout, employees, fill, startUp }: Measured,
): Promise<ServerProcess> {
  const databaseUrl = await databases.create(employees)
  const program: [string, ...string[]] = checkout
    ? [join(checkout, 'node_modules/.bin/node'), join(checkout, 'dist/src/server.js')]
    : [process.execPath, SERVER]
  const begin = performance.now()
  const service = await Service.start(scope, { DATABASE_URL: databaseUrl }, program)
  await (await fetch(`${service.url}/employees/1`)).json()
  startUp.push(performance.now() - begin)
  await service.stop()

  const options = { kind: 'service', databaseUrl } as const
  const server = await ServerProcess.start(scope, options, [], checkout, true)
  for (const view of VIEW_NAMES) add(fill, view, await server.ask('fill', view, FILLS))
  return server
}

async function measureLoads(
  { seconds, turns }: GrowthPlan,
  servers: ServerProcess[],
  all: Measured[],
): Promise<void> {
  for (const name of Object.values(GROWTH)) {
    for (let turn = 0; turn <= turns; turn++) {
      for (const [i, server] of servers.entries()) {
        const { employees, cpu } = all[i] as Measured
        const load = growthLoads(employees).find((load) => load.name === name) as Load
        const measured = await measure(server, load, seconds)
        // The first turn is to warm up.
        if (turn > 0) add(cpu, name, measured.cpu)
      }
    }
  }
  for (let turn = 0; turn <= turns; turn++) {
    for (const [i, server] of servers.entries()) {
      const { employees, ...times } = all[i] as Measured
      const { window, miss } = await measureMiss(server, employees, seconds)
      if (turn === 0) continue
      if (window !== undefined) times.window.push(window)
      if (miss !== undefined) times.miss.push(miss)
      if (window !== undefined && miss !== undefined) times.windowRatio.push(window / miss)
    }
  }
}

/** How long the ranking takes, in milliseconds; undefined where a checkout of before cannot be asked so. */
async function measureMiss(server: ServerProcess, employees: number, seconds: number) {
  const windows = Math.max(1, Math.min(FILLS, Math.floor(ROWS_OF_WINDOWS / employees)))
  const window = (await server.ask('window', windows)) as number | undefined
  try {
    const { p50: miss } = await measureOn(server, questionsOf(employees).top2.miss, seconds)
    return { window, miss }
  } catch (error) {
    if (error instanceof OtherAnswer) return { window, miss: undefined }
    throw error
  }
}

function add(samples: Map<string, number[]>, name: string, value: number): void {
  samples.set(name, [...(samples.get(name) ?? []), value])
}

function summarize({ checkout, employees, cpu, fill, ...times }: Measured): GrowthResult {
  const medians = (samples: Map<string, number[]>) =>
    Object.fromEntries([...samples].map(([name, values]) => [name, median(values)]))
  const ifAny = (values: number[]) => (values.length > 0 ? median(values) : undefined)
  return {
    release: nameOf(checkout),
    employees,
    cpu: medians(cpu),
    fill: medians(fill),
    startUp: median(times.startUp),
    window: ifAny(times.window),
    miss: ifAny(times.miss),
    windowRatio: ifAny(times.windowRatio),
  }
}
