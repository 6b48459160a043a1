import Table from 'cli-table3'
import type { Results } from '../measure/results.js'
import type { ScaleResult } from '../measure/scale.js'

/** The results as text for a terminal. */
export function tableOf({ rows, growth, pauses, targets }: Results): string {
  const requests = table('server', 'request', 'CPU µs', '× limit', 'requests/s', 'p50 ms', 'p99 ms')
  for (const { server, name, cpu, cpuRatio, perSecond, p50, p99 } of rows) {
    requests.push([
      server,
      name,
      cpu.toFixed(1),
      cpuRatio?.toFixed(2) ?? '',
      perSecond.toFixed(0),
      p50.toFixed(2),
      p99.toFixed(2),
    ])
  }
  const names = Object.keys(growth[0]?.cpu ?? {})
  const views = Object.keys(growth[0]?.fill ?? {})
  const sizes = table(
    'employees',
    ...names.map((name) => `${name}, CPU µs`),
    ...views.map((view) => `${view}, fill ms`),
    'start-up ms',
  )
  for (const { employees, cpu, fill, startUp } of growth) {
    sizes.push([
      employees.toLocaleString('en-US'),
      ...names.map((name) => (cpu[name] as number).toFixed(1)),
      ...views.map((view) => (fill[view] as number).toFixed(2)),
      startUp.toFixed(0),
    ])
  }
  const others = table('while', 'employees', 'times', 'p50 ms', 'p99 ms', 'grown MiB')
  for (const { work, employees, times, p50, p99, grownMiB } of pauses) {
    others.push([
      work,
      employees.toLocaleString('en-US'),
      times,
      p50.toFixed(2),
      p99.toFixed(2),
      grownMiB.toFixed(0),
    ])
  }
  const goals = table('target', 'limit', 'measured', '')
  for (const { target, limit, value, met } of targets) {
    goals.push([target, limit, value, met === null ? '' : met ? 'met' : 'missed'])
  }
  const tables = [requests, sizes, others, goals].filter(({ length }) => length > 0)
  return tables.map(String).join('\n')
}

/** What processes ask of one PostgreSQL, beside the model. */
export function scaleTableOf(results: ScaleResult[]): string {
  const scale = table(
    'processes',
    'hits/s',
    'trains/s',
    'by the model',
    'PostgreSQL, ms of CPU/s',
    'by the model',
  )
  for (const each of results) {
    scale.push([
      each.processes,
      each.hits.toFixed(0),
      each.trains.toFixed(0),
      each.predictedTrains.toFixed(0),
      each.postgresMs.toFixed(0),
      each.predictedMs.toFixed(0),
    ])
  }
  return String(scale)
}

export function table(...head: string[]) {
  return new Table({ head, style: { head: [], border: [], compact: true } })
}
