import Table from 'cli-table3'
import type { Results } from '../measure/results.js'
import type { ScaleResult } from '../measure/scale.js'
import { tablesOf } from './tables.js'

/** The results as text for a terminal. */
export function tableOf(results: Results): string {
  const tables = tablesOf(results).map(({ head, body }) => {
    const shown = table(...head)
    shown.push(...body)
    return `${shown}`
  })
  return [results.cores, ...tables].join('\n')
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
