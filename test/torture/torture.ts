import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { phases } from '../coherence/phases.js'
import { runCoherence } from '../coherence/run.js'
import { runCrashes } from '../durability/crash.js'
import { type Scope, scoped } from '../support/scope.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const options = new Command('torture')
  .description(
    'Breaks Redis in every way while three processes serve, and kills the service in write storms.',
  )
  .option('--minutes <number>', 'how long Redis is broken', positive, 10)
  .option('--kills <number>', 'how often the service is killed', positive, 50)
  .parse()
  .opts<{ minutes: number; kills: number }>()

process.exitCode = (await scoped(torture)) ? 0 : 1

/** Says whether all went well. */
async function torture(scope: Scope): Promise<boolean> {
  const phaseMs = (options.minutes * 60_000) / Object.keys(phases).length
  const coherence = await runCoherence(scope, phaseMs, console.log)
  console.table(coherence.phases)
  const { violations, failures } = coherence
  console.log(`${violations.length} stale reads, ${failures.length} failed requests`)

  const path = join(await temporaryDirectory(scope), 'employees.db')
  const { cycles, acknowledged, lost } = await runCrashes(scope, path, Math.round(options.kills))
  console.log(`${cycles} kills, ${acknowledged} acknowledged writes, ${lost.length} lost`)

  const wrong = [...violations, ...failures, ...lost]
  for (const line of wrong.slice(0, 20)) console.log(line)
  return wrong.length === 0
}

function positive(value: string): number {
  if (Number(value) > 0) return Number(value)
  throw new InvalidArgumentError('it must be a number above 0')
}
