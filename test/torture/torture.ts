import { Command, InvalidArgumentError, Option } from 'commander'
import type { Dialect } from '../../drizzle/define-view.js'
import { EXIT, run } from '../../src/commands/command.js'
import { phases } from '../coherence/phases.js'
import { runCoherence } from '../coherence/run.js'
import { runCrashes } from '../durability/crash.js'
import { runPowerCuts } from '../durability/sqlite/power-cuts.js'
import { newDatabase } from '../support/any-database.js'
import { installPackage } from '../support/debian-package.js'
import { type Scope, scoped } from '../support/scope.js'
import { STRACE_NEEDED, whyNoTrace } from '../support/strace.js'

/** The service makes its database and is alone over it, or two processes have a large log over one. */
const STORMS = [
  { writes: 3000, employees: 0, processes: 1, longLog: false },
  { writes: 3000, employees: 1000, processes: 2, longLog: true },
] as const

interface Options {
  database: Dialect
  minutes: number
  kills: number
  powerCuts: number
  seed?: number
}

const command = new Command('npm run torture --')
  .description(
    'Breaks Redis in every way while three processes serve, and kills the service and cuts its power in write storms.',
  )
  .addOption(
    new Option('--database <database>', 'what the service runs over')
      .choices(['sqlite', 'postgres'])
      .default('sqlite'),
  )
  .option('--minutes <number>', 'how long Redis is broken', positive, 10)
  .option('--kills <number>', 'how often the service is killed', positive, 50)
  .option(
    '--power-cuts <number>',
    'how often its power is cut, over SQLite; needs strace',
    whole,
    200,
  )
  .option('--seed <number>', 'of what power cuts leave (default: a new one, which is said)', whole)
  .action(async (options) => {
    // Before all that takes minutes.
    if (cutsPower(options)) seeToStrace()
    const isGood = await scoped((scope) => torture(scope, options))
    process.exitCode = isGood ? EXIT.ok : EXIT.failed
  })

await run(command)

function seeToStrace(): void {
  if (!whyNoTrace()) return
  installPackage('strace')
  const why = whyNoTrace()
  if (why) throw new Error(`${STRACE_NEEDED} (${why})`)
}

/** What is known of a power cut is what SQLite writes; PostgreSQL has tests of its own. */
function cutsPower({ database, powerCuts }: Options): boolean {
  return database === 'sqlite' && powerCuts > 0
}

/** Says whether all went well. */
async function torture(scope: Scope, options: Options): Promise<boolean> {
  const phaseMs = (options.minutes * 60_000) / Object.keys(phases).length
  const { database } = options
  const url = await newDatabase(scope, database)
  const coherence = await runCoherence(scope, url, phaseMs, console.log)
  console.table(coherence.phases)
  const { violations, failures } = coherence
  console.log(`${violations.length} stale reads, ${failures.length} failed requests`)

  const another = await newDatabase(scope, database)
  const { cycles, acknowledged, lost } = await runCrashes(scope, another, Math.round(options.kills))
  console.log(`${cycles} kills, ${acknowledged} acknowledged writes, ${lost.length} lost`)

  const wrong = [...violations, ...failures, ...lost]
  if (cutsPower(options)) wrong.push(...(await cutPower(scope, options)))
  for (const line of wrong.slice(0, 20)) console.log(line)
  return wrong.length === 0
}

async function cutPower(
  scope: Scope,
  { powerCuts, seed = Math.floor(Math.random() * 2 ** 31) }: Options,
): Promise<string[]> {
  console.log(`${powerCuts} power cuts, with --seed ${seed}`)
  const first = Math.floor(powerCuts / STORMS.length)
  const reports = [
    await runPowerCuts(scope, first, seed, STORMS[0]),
    await runPowerCuts(scope, powerCuts - first, seed, STORMS[1]),
  ]
  console.table(reports.map(({ lost, ...report }) => ({ ...report, lost: lost.length })))
  return reports.flatMap(({ lost }) => lost)
}

function whole(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('it must be a whole number, 0 or above')
}

function positive(value: string): number {
  if (Number(value) > 0) return Number(value)
  throw new InvalidArgumentError('it must be a number above 0')
}
