import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Results } from '../measure/results.js'

const TEMPLATE = new URL('../../../bench/report/page.html', import.meta.url)
const CHARTS = new URL('./chart.umd.min.js', import.meta.resolve('chart.js'))

/** The results as a page that holds all it needs, charts included. */
export async function pageOf(results: Results): Promise<string> {
  const [template, charts] = await Promise.all(
    [TEMPLATE, CHARTS].map((url) => readFile(fileURLToPath(url), 'utf8')),
  )
  const data = JSON.stringify(results).replaceAll('<', '\\u003c')
  return (template as string)
    .replace('/* CHART.JS */', () => charts as string)
    .replace('"RESULTS"', () => data)
}
