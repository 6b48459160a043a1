import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Results } from '../measure/results.js'
import { barsOf, linesOf } from './charts.js'
import { tablesOf } from './tables.js'

const TEMPLATE = new URL('../../../bench/report/page.html', import.meta.url)
const CHARTS = new URL('./chart.umd.min.js', import.meta.resolve('chart.js'))

/** The results as a page that holds all it needs, charts included. */
export async function pageOf(results: Results): Promise<string> {
  const [template, charts] = await Promise.all(
    [TEMPLATE, CHARTS].map((url) => readFile(fileURLToPath(url), 'utf8')),
  )
  const { date, machine, node, cores, employees, rounds, pairs, seconds } = results
  const shown = {
    about: { date, machine, node, cores, employees, rounds, pairs, seconds },
    tables: tablesOf(results),
    bars: barsOf(results),
    lines: linesOf(results),
  }
  const data = JSON.stringify(shown).replaceAll('<', '\\u003c')
  return (template as string)
    .replace('/* CHART.JS */', () => charts as string)
    .replace('"RESULTS"', () => data)
}
