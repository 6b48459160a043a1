import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { scoped } from '../../test/support/scope.js'
import { pauseLoad } from '../loads.js'
import { ServerProcess } from '../servers/process.js'
import type { Databases } from './database.js'
import { measure } from './load.js'
import type { PauseResult } from './results.js'

const WORKER = fileURLToPath(new URL('./long-work.js', import.meta.url))

/** The work that must disturb nobody; see long-work.ts. */
const WORKS = { list: 'everybody, streamed', fill: 'high-salary, filled anew' } as const
export type Work = keyof typeof WORKS

/** Asks for single employees while a long answer is made, again and again. */
export async function measurePauses(
  databases: Databases,
  employees: number,
  seconds: number,
  onStep: () => void,
): Promise<PauseResult[]> {
  const results: PauseResult[] = []
  for (const work of Object.keys(WORKS) as Work[]) {
    results.push(await measurePause(databases, employees, work, seconds))
    onStep()
  }
  return results
}

export const PAUSES = Object.keys(WORKS).length

async function measurePause(
  databases: Databases,
  employees: number,
  work: Work,
  seconds: number,
): Promise<PauseResult> {
  return scoped(async (scope) => {
    const databaseUrl = await databases.create(employees)
    const server = await ServerProcess.start(scope, { kind: 'service', databaseUrl }, [
      '--expose-gc',
    ])
    const load = pauseLoad(employees)
    await measure(server, load, seconds / 2)
    const before = await server.ask('rss')
    await server.ask('peak')

    const worker = fork(WORKER, [server.url, work])
    scope.teardown(() => worker.kill())
    // It tells when the first answer begins.
    await once(worker, 'message')
    const { p50, p99 } = await measure(server, load, seconds)
    worker.send('stop')
    const [times] = await once(worker, 'message')
    const grownMiB = Math.max(0, (await server.ask('peak')) - before) / 2 ** 20
    return { work: WORKS[work], employees, p50, p99, grownMiB, times }
  })
}
