// slow: one of its services is three processes
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { dialect } from '../support/any-database.js'
import { exposedMetrics, OF_POSTGRES } from '../support/exposed-metrics.js'
import { recorded } from '../support/prometheus-rules.js'
import { parsePromql } from '../support/promql.js'
import { shownViews } from '../support/shown-views.js'

interface Panel {
  title: string
  type: string
  datasource?: { uid: string }
  targets?: { expr: string; datasource: { uid: string } }[]
}

const url = new URL('../../../ops/grafana-dashboard.json', import.meta.url)
const dashboard = JSON.parse(await readFile(url, 'utf8'))
const panels = (dashboard.panels as Panel[]).filter(({ type }) => type !== 'row')
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

t.test(
  'every metric and label that the dashboard asks for is in /metrics, or recorded',
  async (t) => {
    const metrics = new Map([...(await exposedMetrics(t)), ...recorded()])
    t.ok(queries.length > 20)
    for (const query of queries) {
      if (dialect === 'sqlite' && OF_POSTGRES.test(query)) continue
      const { names, matchers, shared } = parsePromql(query)
      t.ok(names.length > 0, query)
      for (const name of names) t.ok(metrics.has(name), `${name} of ${query}`)
      for (const label of [...shared, ...matchers.map(({ label }) => label)]) {
        t.ok(
          names.every((name) => metrics.get(name)?.labels.has(label)),
          `${label} of ${query}`,
        )
      }
    }
  },
)

t.test('every figure of the service itself is on the dashboard', async (t) => {
  for (const name of (await exposedMetrics(t)).keys()) {
    if (!/^(employees|http)_/.test(name) || /_(sum|count|bucket|info)$/.test(name)) continue
    t.ok(
      queries.some((query) => new RegExp(`\\b${name}(_bucket|_count|_sum)?\\b`).test(query)),
      name,
    )
  }
})

t.test('it shows the release, and what every objective has left', async (t) => {
  t.ok(queries.some((query) => query.includes('employees_build_info')))
  for (const name of ['employees:slo_budget:ratio', 'employees:slo_errors:ratio_rate'])
    t.ok(
      queries.some((query) => query.includes(name)),
      name,
    )
})

t.test('it names no view, so that it shows each that there is', async (t) => {
  const text = JSON.stringify(dashboard)
  for (const { view } of shownViews) t.notOk(text.includes(view.name), view.name)
  t.match(text, /employees_view_\w+/)
})

t.test('it asks the data source that is chosen on the page', async (t) => {
  t.match(dashboard.templating.list, [{ name: 'datasource', type: 'datasource' }])
  for (const { title, datasource, targets = [] } of panels) {
    const asked = [datasource, ...targets.map((target) => target.datasource)]
    for (const each of asked) t.equal(each?.uid, '$' + '{datasource}', title)
  }
})
