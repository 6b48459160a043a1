import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Series } from './exposed-metrics.js'
import { parsePromql } from './promql.js'

interface Rule {
  file: string
  expr: string
  record?: string
  alert?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

const OPS = new URL('../../../ops/', import.meta.url)

/** Every rule of `ops/rules`. */
export const rules: Rule[] = filesIn('rules/').flatMap((file) =>
  read(file).groups.flatMap(({ rules }: { rules: Rule[] }) =>
    rules.map((rule) => ({ ...rule, file })),
  ),
)

/** Every test of rules that promtool runs, as its text. */
export const ruleTests = filesIn('rules/tests/').map((file) => JSON.stringify(read(file)))

/** The names of what is scraped. */
export const jobs: string[] = read('prometheus.yml').scrape_configs.map(
  ({ job_name }: { job_name: string }) => job_name,
)

/** What the rules record, by its name: with the labels that its rule gives it, and leaves it. */
export function recorded(): Map<string, Series> {
  const series = new Map<string, Series>()
  for (const { record, expr, labels = {} } of rules) {
    if (record === undefined) continue
    const { labels: known } = series.get(record) ?? { labels: new Map<string, Set<string>>() }
    for (const label of parsePromql(expr).shared) known.set(label, known.get(label) ?? new Set())
    for (const [label, value] of Object.entries(labels))
      known.set(label, (known.get(label) ?? new Set()).add(value))
    series.set(record, { help: '', labels: known })
  }
  return series
}

function filesIn(folder: string): string[] {
  return readdirSync(new URL(folder, OPS))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => folder + name)
}

function read(file: string) {
  return parse(readFileSync(new URL(file, OPS), 'utf8'))
}
