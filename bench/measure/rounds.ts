import { scoped } from '../../test/support/scope.js'
import { ERRORS } from '../loads.js'
import { type Group, groupsOf, keyOf, questionsFor, type Row, type Server } from '../rows.js'
import { apart } from '../servers/cores.js'
import type { Target } from '../servers/process.js'
import type { Databases } from './database.js'
import { measure } from './load.js'
import { measureOn } from './question.js'
import type { RowResult } from './results.js'
import { type Sample, summarize } from './samples.js'
import { type Servers, startServers } from './servers.js'

export interface Plan {
  databases: Databases
  employees: number
  rounds: number
  /** How often each group is measured in a round. */
  pairs: number
  /** Whether servers are asked for all of this before; if not, only for errors. */
  warm: boolean
  /** Only rows whose name contains this, with their limits. */
  only: string
  /** Of each measurement, and of each load that warms a server up. */
  seconds: number
  /** Called for each load that warms up, and for each group that was measured. */
  onStep: () => void
}

/** How many steps {@link measureRows} takes. */
export function stepsOf({ employees, rounds, warm, only }: Plan): number {
  const groups = groupsOf(employees, only)
  const warmUps = [...serversOf(groups)].map((server) => questionsFor(server, employees).length)
  return rounds * (groups.length + (warm ? warmUps.reduce((sum, count) => sum + count, 0) : 0))
}

/**
 * Measures every group in each round. Each round has new processes, since how the compiler was in luck
 * stays with a process for its life; and as the machine has its moments, a group is measured a few times,
 * each time all of it right behind its limit.
 */
export async function measureRows(plan: Plan): Promise<RowResult[]> {
  const { databases, employees, only } = plan
  const groups = groupsOf(employees, only)
  const wanted = serversOf(groups)
  const samples = new Map<string, Sample[]>()
  const add = (row: Row, sample: Sample) => {
    samples.set(keyOf(row), [...(samples.get(keyOf(row)) ?? []), sample])
  }
  for (let round = 0; round < plan.rounds; round++) {
    await scoped(async (scope) => {
      const servers = await startServers(scope, wanted, databases, employees)
      const measureRow = (row: Row) =>
        measureOn(servers.get(row.server) as Target, row, plan.seconds)
      await apart(async () => {
        await warmUp(servers, plan)
        for (const group of groups) {
          for (let pair = 0; pair < plan.pairs; pair++) {
            const limit = group.limit && (await measureRow(group.limit))
            if (group.limit && limit) add(group.limit, { own: limit })
            for (const row of group.rows) add(row, { own: await measureRow(row), limit })
          }
          plan.onStep()
        }
      })
    })
  }
  return resultsOf(groups, samples)
}

function serversOf(groups: Group[]): Set<Server> {
  return new Set(
    groups
      .flatMap(({ limit, rows }) => [...(limit ? [limit] : []), ...rows])
      .map(({ server }) => server),
  )
}

/** Each row once, though it may be the limit of several groups. */
function resultsOf(groups: Group[], samples: Map<string, Sample[]>): RowResult[] {
  const results = new Map<string, RowResult>()
  for (const { limit, rows } of groups) {
    for (const row of [...(limit ? [limit] : []), ...rows]) {
      const of = row === limit ? undefined : limit
      if (results.has(keyOf(row)) && !of) continue
      const { server, name } = row
      results.set(
        keyOf(row),
        summarize({ server, name, limit: of && keyOf(of) }, samples.get(keyOf(row)) as Sample[]),
      )
    }
  }
  return [...results.values()]
}

/**
 * Asks each server for all that it can answer, errors included: code that has seen one kind of answer is
 * compiled for that kind, and a real service sees all.
 */
async function warmUp(servers: Servers, { employees, seconds, warm, onStep }: Plan): Promise<void> {
  for (const [server, target] of servers) {
    for (const question of warm ? questionsFor(server, employees) : []) {
      await measureOn(target, question, seconds)
      onStep()
    }
    // It knows one route, and checks nothing.
    if (server !== 'pool of 8') await askForErrors(target, seconds)
  }
}

export async function askForErrors(server: Target, seconds: number): Promise<void> {
  for (const error of ERRORS) await measure(server, error, seconds / 2)
}
