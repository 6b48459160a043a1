import { Command, InvalidArgumentError } from 'commander'
import { phases } from './phases.js'
import { runCoherence } from './run.js'

const { minutes } = new Command('torture')
  .description('Runs the coherence checker for long: every fault, again and again.')
  .option('--minutes <number>', 'how long', positive, 10)
  .parse()
  .opts<{ minutes: number }>()

const cleanups: (() => unknown)[] = []
const phaseMs = (minutes * 60_000) / Object.keys(phases).length
const report = await runCoherence({ teardown: (cleanup) => cleanups.unshift(cleanup) }, phaseMs)
for (const cleanup of cleanups) await cleanup()

console.table(report.phases)
console.log(`${report.violations.length} stale reads, ${report.failures.length} failed requests`)
for (const line of [...report.violations, ...report.failures].slice(0, 20)) console.log(line)
process.exit(report.violations.length + report.failures.length > 0 ? 1 : 0)

function positive(value: string): number {
  if (Number(value) > 0) return Number(value)
  throw new InvalidArgumentError('it must be a number of minutes above 0')
}
