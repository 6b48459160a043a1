import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { startProgress } from '../src/bulk/progress.js'
import { EXIT, integer, run } from '../src/commands/command.js'
import { scoped } from '../test/support/scope.js'
import { temporaryDirectory } from '../test/support/temporary-directory.js'
import { type ChangingPlan, measureChanging, stepsOfChanging } from './measure/changing.js'
import { measureCheckouts, stepsOfCheckouts } from './measure/checkouts.js'
import { Databases } from './measure/database.js'
import { measureGrowth, stepsOfGrowth } from './measure/growth.js'
import { measurePauses, PAUSES } from './measure/pauses.js'
import type { ChangingResults, Results } from './measure/results.js'
import { measureRows, stepsOf } from './measure/rounds.js'
import { measureScale } from './measure/scale.js'
import { changingTableOf } from './report/changing-table.js'
import { pageOf } from './report/page.js'
import { scaleTableOf, tableOf } from './report/table.js'
import { coresText } from './servers/cores.js'
import { targetsOf } from './targets.js'

const EMPLOYEES = 10_000
const SIZES = [1000, 10_000, 100_000]
const LARGE = 1_000_000
const GROWTH_ROUNDS = 3
const GROWTH_TURNS = 2
const PAIRS = 3

const HELP = `
Servers run in processes of their own, one at a time and alone on the last core, where taskset can do
that; the load is made on the others. Every server is first asked for all that it can answer. What is
compared is measured right behind one another, three times a round, in rounds with new processes.
Figures from another run or machine mean little.

Beside the service stand bare Fastify, which sends the same bytes or checks the same POST and stores
nothing (the limit), BentoCache with memory and Redis, and @fastify/caching in memory.

It writes latest.json and latest.html, a page that needs no network, and says on the terminal what
costs how much and which targets are met.

Whatever the figures are, it fails only if a server answers wrong.

Examples:
  npm run bench                 about 12 minutes
  npm run bench -- --large      also with 1,000,000 employees; about 14 minutes
  npm run bench -- --smoke      does it all work? seconds, and figures that mean nothing
  npm run bench -- --changing   what readers wait for while 20 employees change in a second, and while
                                nobody does; what a write costs the database; about 5 minutes
  npm run bench -- --changing 60 --only SQLite --employees 100000 --against ../before
                                the same for longer, over fewer, beside another built checkout, each
                                over a database that it has made
  npm run bench -- --against ../before ../after
                                two built checkouts, each on its node_modules/.bin/node, and this
                                one, as multiples of the first; writes nothing; about 3 minutes for each
  npm run bench -- --large --against ../before
                                also how both grow with the table, up to 1,000,000 employees; about 15
                                minutes`

interface Options {
  large?: true
  smoke?: true
  rounds: number
  seconds: number
  only?: string
  against?: string[]
  scale?: number
  changing?: number
  employees?: number
  out: string
}

const command = new Command('npm run bench --')
  .description('Measures what requests cost, beside the limits of Node and Fastify.')
  .option('--large', 'also with 1,000,000 employees')
  .option('--smoke', 'everything once, for a moment, over few employees')
  .option('--rounds <count>', 'how often each row is measured', integer(1, 100), 3)
  .option('--seconds <count>', 'how long each time', seconds, 0.5)
  .option('--only <text>', 'only requests whose name contains this, and nothing else')
  .option('--against <checkouts...>', 'only the service, beside that of other checkouts')
  .option(
    '--scale <hits>',
    'only what 1, 2 and 3 processes ask of one PostgreSQL, at so many hits a second each',
    integer(1, 100_000),
  )
  .addOption(
    new Option('--changing [seconds]', 'only readers while employees change, so long a phase')
      .preset('20')
      .argParser(integer(1, 600)),
  )
  .option('--employees <count>', 'how many of them (default: 1,000,000)', integer(1000, 10_000_000))
  .option('--out <directory>', 'where the results go', 'bench/results')
  .addHelpText('after', HELP)
  .action(bench)

await run(command)
// What autocannon leaves behind keeps the process alive.
process.exit(process.exitCode ?? EXIT.ok)

async function bench(options: Options): Promise<void> {
  await import('../test/support/ensure-programs.js')
  if (options.scale !== undefined) {
    const { rounds, seconds, scale } = options
    console.log(scaleTableOf(await measureScale(EMPLOYEES, scale, Math.max(1, seconds), rounds)))
    return
  }
  if (options.changing !== undefined) return change(options)
  const results = await scoped(async (scope) =>
    measureAll(options, new Databases(await temporaryDirectory(scope))),
  )
  console.log(tableOf(results))
  if (options.only !== undefined || options.against !== undefined) return
  await write(options, 'latest.json', `${JSON.stringify(results, null, 2)}\n`)
  await write(options, 'latest.html', await pageOf(results))
  if (options.smoke) await change(options)
}

async function change(options: Options): Promise<void> {
  const { smoke, changing = 0, only = '', against: checkouts = [] } = options
  const { employees = smoke ? 1000 : LARGE } = options
  const seconds = smoke ? 0.1 : changing
  const results = await measureChange({ employees, seconds, only, checkouts })
  console.log(changingTableOf(results))
  const all = { ...machineOf(), seconds, employees, ...results }
  await write(options, 'changing.json', `${JSON.stringify(all, null, 2)}\n`)
}

async function measureChange(what: Omit<ChangingPlan, 'onStep'>): Promise<ChangingResults> {
  const plan = { ...what, onStep }
  let done = 0
  const progress = startProgress('Changing', stepsOfChanging(plan))
  function onStep() {
    progress.update(++done)
  }
  try {
    return await measureChanging(plan)
  } finally {
    progress.stop()
  }
}

async function write({ out }: Options, name: string, text: string): Promise<void> {
  await mkdir(out, { recursive: true })
  await writeFile(join(out, name), text)
  console.log(`Written: ${join(out, name)}`)
}

/** When and where it was measured. */
function machineOf(): Pick<Results, 'date' | 'machine' | 'node'> {
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${process.platform}`
  return { date: new Date().toISOString(), machine, node: process.version }
}

function seconds(text: string): number {
  const value = Number(text)
  if (value >= 0.1 && value <= 60) return value
  throw new InvalidArgumentError('It must be a number from 0.1 to 60.')
}

async function measureAll(options: Options, databases: Databases): Promise<Results> {
  const { large, smoke, only = '', against: checkouts = [] } = options
  const employees = smoke ? 1000 : EMPLOYEES
  const [rounds, pairs, seconds] = smoke ? [1, 1, 0.1] : [options.rounds, PAIRS, options.seconds]
  const rowsOnly = only !== '' || (checkouts.length > 0 && !large)
  const all = smoke ? [100, 1000] : large ? [...SIZES, LARGE] : SIZES
  const sizes = rowsOnly ? [] : all
  const most = checkouts.length > 0 ? undefined : sizes.at(-1)

  const plan = { databases, employees, rounds, pairs, seconds, only, warm: !smoke, onStep }
  const [growthRounds, turns] = smoke ? [1, 1] : [GROWTH_ROUNDS, GROWTH_TURNS]
  const growthPlan = { ...plan, sizes, rounds: growthRounds, turns, checkouts }
  const compares = checkouts.length > 0
  const steps = compares ? stepsOfCheckouts(plan, checkouts) : stepsOf(plan)
  const more = stepsOfGrowth(growthPlan) + (most ? PAUSES : 0)
  let done = 0
  const progress = startProgress('Measuring', steps + more)
  function onStep() {
    progress.update(++done)
  }
  try {
    const rows = await (compares ? measureCheckouts(plan, checkouts) : measureRows(plan))
    const growth = await measureGrowth(growthPlan)
    const pauses = most ? await measurePauses(databases, most, 10 * seconds, onStep) : []
    const figures = { seconds, rounds, pairs, employees, rows, growth, pauses }
    const measured = { ...machineOf(), cores: coresText, ...figures }
    const targets = compares ? [] : targetsOf(measured)
    return { ...measured, targets: targets.filter(({ met }) => met !== null || only === '') }
  } finally {
    progress.stop()
  }
}
