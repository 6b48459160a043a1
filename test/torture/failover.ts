import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { counted, EXIT, grouped, integer, run } from '../../src/commands/command.js'
import { type Host, hostsOf } from '../../src/store/postgres/hosts.js'
import { Primary } from '../../src/store/postgres/primary.js'
import type { Tally } from '../failover/postgres/client.js'
import { FailoverLoad, type Kept } from '../failover/postgres/failover-load.js'
import { tellWritePauses } from '../failover/postgres/write-pauses.js'
import { type Scope, scoped } from '../support/scope.js'
import { Service } from '../support/service.js'

const SAID_EVERY_MS = 5000
/** How many faults are shown, since one seldom comes alone: in the end, and each time. */
const SHOWN = 20
const SHOWN_AT_ONCE = 3
/** How long the primary is looked for in the end. */
const PATIENCE_MS = 30_000
const KEPT = 'SELECT id, name, salary FROM employees WHERE starts_with(department, $1)'

const HELP = `
Somebody else (Patroni, an operator) fails servers over meanwhile: kills, freezes or cuts off the primary, or
asks for a switchover. Writers and readers ask all processes, and every answer is judged: no read may miss
what was acknowledged or shown before it began, no answer be another error than a 503 with Retry-After, and
in the end the primary has all that was acknowledged. The servers need a synchronous standby for that. Each
process finds the primary for itself, by the lease of DATABASE_LEASE_MS, if that is set.

The database gets what the service needs, and keeps the employees that are made: in departments whose names
begin with "failover".

It says every five seconds what was done in them, and when a process does no writes for a second, and when
it does again. It fails if anything was wrong, or if a process did no writes in the last five seconds.

SIGTERM ends it sooner, with its judgement: for a script that has done to the servers what it wanted.

Examples:
  npm run failover -- --url postgres://app:secret@10.0.0.1,10.0.0.2,10.0.0.3/employees --minutes 30`

interface Options {
  url: string
  minutes: number
  processes: number
}

const command = new Command('npm run failover --')
  .description(
    'Writes to and reads from a PostgreSQL cluster that fails over, and judges what it gets.',
  )
  .requiredOption(
    '--url <url>',
    'all servers: postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE',
  )
  .option('--minutes <number>', 'how long', integer(1, 10_000), 5)
  .option('--processes <number>', 'how many processes of the service', integer(1, 32), 3)
  .addHelpText('after', HELP)
  .action(async (options: Options) => {
    const hosts = hostsIn(options.url)
    const isGood = await scoped((scope) => failOver(scope, hosts, options))
    process.exitCode = isGood ? EXIT.ok : EXIT.failed
  })

let isEnding = false
process.once('SIGTERM', () => (isEnding = true))
await run(command)

function hostsIn(url: string): Host[] {
  try {
    return hostsOf(url)
  } catch (error) {
    return command.error(`--url: ${(error as Error).message}`, { exitCode: EXIT.usage })
  }
}

/** Says whether all went well. */
async function failOver(
  scope: Scope,
  hosts: Host[],
  { url, minutes, processes }: Options,
): Promise<boolean> {
  const { DATABASE_LEASE_MS } = process.env
  const env = { DATABASE_URL: url, ...(DATABASE_LEASE_MS && { DATABASE_LEASE_MS }) }
  const starting = Array.from({ length: processes }, () => Service.start(scope, env))
  const services = await Promise.all(starting)
  const load = new FailoverLoad(services.map((service) => service.url))
  scope.teardown(() => load.stop())
  await load.start()
  const endPauses = tellWritePauses(load, console.log)
  const faults = await watch(load, minutes * 60_000)
  endPauses()
  await load.stop()

  faults.push(...load.judge(await keptIn(hosts, load.prefix)))
  for (const { process: each } of services) {
    if (each.exitCode !== null || each.signalCode !== null) faults.push('A process has ended')
  }
  for (const fault of faults.slice(0, SHOWN)) console.log(fault)
  const writes = counted(load.acknowledged, 'write was', 'writes were')
  const reads = counted(load.history.checkedReads, 'read', 'reads')
  const verdict = counted(faults.length, 'thing was wrong', 'things were wrong')
  console.log(`${writes} acknowledged, and ${reads} judged: ${verdict}`)
  return faults.length === 0
}

/** Says every now and then what was done; resolves to what was wrong. */
async function watch(load: FailoverLoad, ms: number): Promise<string[]> {
  const faults: string[] = []
  const start = performance.now()
  const isOver = () => isEnding || performance.now() >= start + ms
  let before = load.tallies
  while (!isOver()) {
    await delay(SAID_EVERY_MS)
    const found = load.takeFaults()
    const after = load.tallies
    const count = (what: keyof Tally) =>
      grouped(after.reduce((sum, tally, i) => sum + tally[what] - (before[i]?.[what] ?? 0), 0))
    const seconds = Math.round((performance.now() - start) / 1000)
    console.log(
      `${seconds} s: ${count('writes')} writes and ${count('reads')} reads, ` +
        `${count('refusedWrites')} and ${count('refusedReads')} answered 503, ${found.length} things wrong`,
    )
    for (const fault of found.slice(0, SHOWN_AT_ONCE)) console.log(`  ${fault}`)
    faults.push(...found)
    const areIdle = after.some(({ writes }, i) => writes === before[i]?.writes)
    if (areIdle && isOver()) faults.push('In the end a process did no writes')
    before = after
  }
  return faults
}

/** All employees of a load that the primary has. */
async function keptIn(hosts: Host[], prefix: string): Promise<Kept[]> {
  const primary = new Primary(hosts, 0)
  try {
    const found = await primary.do(({ reader }) => reader.query<Kept>(KEPT, [prefix]), PATIENCE_MS)
    return found.rows
  } finally {
    await primary.close()
  }
}
