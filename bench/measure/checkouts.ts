import { basename } from 'node:path'
import { type Scope, scoped } from '../../test/support/scope.js'
import type { Question } from '../loads.js'
import { checkoutQuestions } from '../rows.js'
import { apart } from '../servers/cores.js'
import { ServerProcess } from '../servers/process.js'
import type { Measured } from './load.js'
import { measureOn, OtherAnswer } from './question.js'
import type { RowResult } from './results.js'
import { askForErrors, type Plan } from './rounds.js'
import { type Sample, summarize } from './samples.js'

/** How many steps {@link measureCheckouts} takes. */
export function stepsOfCheckouts({ rounds, employees, only }: Plan, checkouts: string[]): number {
  return 2 * rounds * checkoutQuestions(employees, only).length * (checkouts.length + 1)
}

/**
 * Measures this service, and that of other checkouts of it on the Node of each, in turns: all of a
 * question right behind one another, several times a round, each round with new processes. What an older
 * one cannot answer so, compressed for instance, it has no row of.
 *
 * @param checkouts directories with a built service; the ratios are to the first
 */
export async function measureCheckouts(plan: Plan, checkouts: string[]): Promise<RowResult[]> {
  const questions = checkoutQuestions(plan.employees, plan.only)
  const names = [...checkouts, undefined].map(nameOf)
  const rows = questions.flatMap((question) =>
    names.map((server, of) => ({ question, server, of, samples: [] as Sample[] })),
  )
  const unknown = new Set<(typeof rows)[number]>()
  for (let round = 0; round < plan.rounds; round++) {
    await scoped(async (scope) => {
      const servers = await startAll(scope, plan, checkouts)
      const measure = async ({ question, of }: (typeof rows)[number]) =>
        measureIfKnown(servers[of] as ServerProcess, question, plan.seconds)
      await apart(async () => {
        for (const row of rows) {
          if (!unknown.has(row) && !(await measure(row))) unknown.add(row)
          plan.onStep()
        }
        for (const server of servers) await askForErrors(server, plan.seconds)
        for (const question of questions) {
          const compared = rows.filter((row) => row.question === question && !unknown.has(row))
          for (let pair = 0; pair < plan.pairs; pair++) {
            let limit: Measured | undefined
            for (const row of compared) {
              const own = await measure(row)
              if (own) row.samples.push({ own, limit })
              else unknown.add(row)
              if (row.of === 0) limit = own
            }
          }
          for (const _ of names) plan.onStep()
        }
      })
    })
  }
  return rows
    .filter((row) => row.samples.length > 0 && !unknown.has(row))
    .map(({ question: { name }, server, of, samples }) =>
      summarize({ name, server, limit: of > 0 ? names[0] : undefined }, samples),
    )
}

async function startAll(
  scope: Scope,
  { databases, employees }: Plan,
  checkouts: string[],
): Promise<ServerProcess[]> {
  const servers: ServerProcess[] = []
  for (const checkout of [...checkouts, undefined]) {
    const databaseUrl = await databases.create(employees)
    const options = { kind: 'service', databaseUrl, logLevel: 'warn' } as const
    const server = await ServerProcess.start(scope, options, [], checkout, true)
    await server.ask('keep')
    servers.push(server)
  }
  return servers
}

/** Undefined if a service does not answer as the question wants it. */
async function measureIfKnown(
  server: ServerProcess,
  question: Question,
  seconds: number,
): Promise<Measured | undefined> {
  try {
    return await measureOn(server, question, seconds)
  } catch (error) {
    if (error instanceof OtherAnswer) return undefined
    throw error
  }
}

/** What a checkout is called in a table, or this one. */
export function nameOf(checkout: string | undefined): string {
  return checkout === undefined ? 'this one' : basename(checkout)
}
