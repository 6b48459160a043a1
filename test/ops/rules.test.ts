// slow: one of its services is three processes
import t from 'tap'
import { dialect } from '../support/any-database.js'
import { documents } from '../support/documented.js'
import { exposedMetrics, OF_POSTGRES, type Series } from '../support/exposed-metrics.js'
import { jobs, recorded, rules, ruleTests } from '../support/prometheus-rules.js'
import { parsePromql } from '../support/promql.js'

/** What Prometheus puts to each series that it scrapes. */
const OF_THE_SCRAPE = new Map([
  ['job', new Set(jobs)],
  ['instance', new Set<string>()],
])

const alerts = rules.filter(({ alert }) => alert !== undefined)
const headings = [...(documents.get('docs/operations.md') ?? '').matchAll(/^#+ (.*)$/gm)].map(
  ([, heading = '']) => anchorOf(heading),
)

t.test(
  'every metric, label and value that a rule asks for is in /metrics, or recorded',
  async (t) => {
    const known = new Map<string, Series>([
      ...(await exposedMetrics(t)),
      ...recorded(),
      ['up', { help: '', labels: new Map() }],
    ])
    const has = (name: string, label: string) =>
      OF_THE_SCRAPE.has(label) || known.get(name)?.labels.has(label) === true
    t.ok(rules.length > 20)
    for (const { expr, annotations = {}, file } of rules) {
      if (dialect === 'sqlite' && OF_POSTGRES.test(expr)) continue
      const { names, matchers, shared, dropped, made } = parsePromql(expr)
      const where = `of ${file}: ${expr}`
      for (const name of names) t.ok(known.has(name), `${name} ${where}`)
      for (const { name, label, operator, value } of matchers) {
        t.ok(has(name, label), `${label} ${where}`)
        if (operator !== '=') continue
        const { help = '', labels } = known.get(name) ?? {}
        const values = OF_THE_SCRAPE.get(label) ?? labels?.get(label)
        t.ok(values?.has(value) || help.includes(value), `${label}="${value}" ${where}`)
      }
      for (const { name, from } of made) t.ok(has(name, from), `${from} ${where}`)
      for (const label of shared) {
        const isMade = (name: string) =>
          made.some((one) => one.name === name && one.label === label)
        t.ok(
          names.every((name) => has(name, label) || isMade(name)),
          `${label} ${where}`,
        )
      }
      const some = [
        ...dropped,
        ...[...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label),
      ] as string[]
      for (const label of some) {
        t.ok(
          names.some((name) => has(name, label)),
          `${label} ${where}`,
        )
      }
    }
  },
)

t.test('the path of a view is what its route is called', async (t) => {
  const metrics = await exposedMetrics(t)
  const routes = metrics.get('http_request_duration_seconds_count')?.labels.get('route')
  for (const path of metrics.get('employees_view_info')?.labels.get('path') ?? [])
    t.ok(routes?.has(path), path)
})

t.test('what is recorded over a time is called by it', async (t) => {
  for (const { record = '', expr } of rules) {
    const [, time] = /_rate(\d+\w)$/.exec(record) ?? []
    if (time === undefined) continue
    const { ranges } = parsePromql(expr)
    t.ok(ranges.length > 0, record)
    t.ok(
      ranges.every((range) => range === time),
      `${record}: ${ranges}`,
    )
  }
})

t.test('every alert says how urgent it is, what it tells, and where it is explained', async (t) => {
  t.ok(alerts.length > 10)
  for (const { alert = '', labels, annotations = {} } of alerts) {
    t.match(labels, { severity: /^(page|ticket)$/ }, alert)
    t.match(annotations, { summary: /\S/ }, alert)
    const [, anchor = ''] = /^docs\/operations\.md#(.+)$/.exec(annotations.runbook ?? '') ?? []
    t.equal(anchor, anchorOf(alert), 'by its name')
    t.ok(headings.includes(anchor), `${alert}: ${annotations.runbook}`)
  }
})

t.test('the runbook is of alerts that there are, and says three things of each', async (t) => {
  const [, runbook = ''] =
    /\n## Runbook\n([\s\S]*?)\n## /.exec(documents.get('docs/operations.md') ?? '') ?? []
  const parts = runbook.split(/^### /m).slice(1)
  t.strictSame(
    parts.map((part) => part.split('\n')[0]).sort(),
    alerts.map(({ alert }) => alert).sort(),
  )
  for (const part of parts) {
    for (const what of ['Means', 'Look', 'Do']) t.match(part, new RegExp(`^- ${what}: \\S`, 'm'))
  }
})

t.test('every alert is raised by a test of promtool', async (t) => {
  for (const { alert = '' } of alerts)
    t.ok(
      ruleTests.some((text) => text.includes(`"alertname":"${alert}"`)),
      alert,
    )
})

/** As GitHub makes it, of a heading in words. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
