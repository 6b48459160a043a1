import { buildOverRedis } from './build.js'
import { redisUrl } from './redis-server.js'
import type { Scope } from './scope.js'
import { shellOf } from './shell.js'
import { createUntilChanged, shownViews } from './shown-views.js'
import { Workers } from './workers.js'

export interface Series {
  help: string
  /** With the values that were seen. */
  labels: Map<string, Set<string>>
}

/** What a service over SQLite does not have. */
export const OF_POSTGRES = /\bemployees_database_/

/** Every series of `/metrics` by its name, of a service with workers and of one process. */
export async function exposedMetrics(t: Scope): Promise<Map<string, Series>> {
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

  const series = new Map<string, Series>()
  for (const [, name = '', help = ''] of `${all}\n${one}`.matchAll(/^# HELP (\S+) (.*)/gm))
    series.set(name, { help, labels: new Map() })
  for (const [, name = '', text = ''] of `${all}\n${one}`.matchAll(/^(\w+)(\{.*\})? /gm)) {
    const { help, labels } = series.get(name) ?? { help: '', labels: new Map() }
    for (const [, label = '', value = ''] of text.matchAll(/(\w+)="([^"]*)"/g))
      labels.set(label, (labels.get(label) ?? new Set()).add(value))
    series.set(name, { help, labels })
  }
  return series
}
