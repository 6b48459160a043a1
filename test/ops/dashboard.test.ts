// slow: one of its services is three processes
import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { dialect } from '../support/any-database.js'
import { buildOverRedis } from '../support/build.js'
import { redisUrl } from '../support/redis-server.js'
import { shellOf } from '../support/shell.js'
import { createUntilChanged, shownViews } from '../support/shown-views.js'
import { Workers } from '../support/workers.js'

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

/** What a service over SQLite does not have. */
const OF_POSTGRES = /\bemployees_database_/

/** Words of PromQL, and its functions. */
const LANGUAGE = /^(by|sum|min|max|rate|time|histogram_quantile)$/

t.test('every metric and label that the dashboard asks for is in /metrics', async (t) => {
  const metrics = await metricsOf(t)
  t.ok(queries.length > 20)
  for (const query of queries) {
    if (dialect === 'sqlite' && OF_POSTGRES.test(query)) continue
    const { names, labels } = parse(query)
    t.ok(names.length > 0, query)
    for (const name of names) t.ok(metrics.has(name), `${name} of ${query}`)
    for (const label of labels) {
      t.ok(
        names.every((name) => metrics.get(name)?.has(label)),
        `${label} of ${query}`,
      )
    }
  }
})

t.test('every figure of the service itself is on the dashboard', async (t) => {
  for (const name of (await metricsOf(t)).keys()) {
    if (!/^(employees|http)_/.test(name) || /_(sum|count|bucket|info)$/.test(name)) continue
    t.ok(
      queries.some((query) => new RegExp(`\\b${name}(_bucket|_count|_sum)?\\b`).test(query)),
      name,
    )
  }
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

/** Names of series with their labels, of a service with workers and of one process. */
async function metricsOf(t: Test): Promise<Map<string, Set<string>>> {
  const redis = await redisUrl(t)
  const workers = await Workers.start(t, { REDIS_URL: redis })
  await fetch(`${workers.url}/employees`)
  const all = await (await fetch(`${workers.url}/metrics`)).text()
  const app = await buildOverRedis(t, { redisUrl: redis })
  const shell = await shellOf(t, app)
  for (const { view, path } of shownViews) {
    await app.inject(path)
    await createUntilChanged(shell, view, (payload) =>
      app.inject({ method: 'POST', url: '/employees', payload }),
    )
    await app.inject(path)
  }
  const one = (await app.inject('/metrics')).body

  const metrics = new Map<string, Set<string>>()
  for (const [, name = ''] of all.matchAll(/^# TYPE (\S+)/gm)) metrics.set(name, new Set())
  for (const [, name = '', text = ''] of `${all}\n${one}`.matchAll(/^(\w+)(\{.*\})? /gm)) {
    const labels = metrics.get(name) ?? new Set()
    for (const [, label = ''] of text.matchAll(/(\w+)="/g)) labels.add(label)
    metrics.set(name, labels)
  }
  return metrics
}

function parse(query: string) {
  const labels = [
    ...[...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
    ...[...query.matchAll(/(\w+)[!=]~?"/g)].map(([, label = '']) => label),
  ]
  const names = query
    .replace(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, ' ')
    .match(/[a-z_]\w*/g)
    ?.filter((word) => !LANGUAGE.test(word))
  return { names: names ?? [], labels }
}
