import type { ChangingResults } from '../measure/results.js'
import { table } from './table.js'

/** What readers had while employees changed, and what writes cost, as text for a terminal. */
export function changingTableOf({ changing, writes }: ChangingResults): string {
  const clients = table(
    'database',
    'service',
    '',
    'client',
    'answers',
    'p50 ms',
    'p99 ms',
    'max ms',
    'Cache-Status',
  )
  const processes = table('database', 'service', '', 'CPU %', 'RSS MiB')
  for (const { database, release, phase, cpu, rssMiB, ...had } of changing) {
    for (const [client, { count, p50, p99, max, sources }] of Object.entries(had.clients)) {
      const times = [p50, p99, max].map((ms) => ms.toFixed(2))
      clients.push([database, release, phase, client, count, ...times, sharesOf(sources)])
    }
    processes.push([database, release, phase, (100 * cpu).toFixed(0), rssMiB.toFixed(0)])
  }
  const updates = table('database', 'service', 'an update', 'CPU µs', 'without triggers', '×')
  for (const { database, release, write, us, bareUs } of writes) {
    const ratio = (us / bareUs).toFixed(2)
    updates.push([database, release, write, us.toFixed(1), bareUs.toFixed(1), ratio])
  }
  return [clients, processes, updates].map(String).join('\n')
}

/** As "parts 98 %, near 2 %", the most frequent first. */
function sharesOf(sources: { [source: string]: number }): string {
  const all = Object.values(sources).reduce((sum, count) => sum + count, 0)
  return Object.entries(sources)
    .sort(([, one], [, other]) => other - one)
    .map(([source, count]) => `${source} ${((100 * count) / all).toFixed(count === all ? 0 : 1)} %`)
    .join(', ')
}
