import { Client } from 'pg'
import type { View } from '../../drizzle/define-view.js'
import { views } from '../../drizzle/registry.js'
import { buildApp } from '../../src/app.js'
import { collect } from '../../src/cache/collect.js'
import { readConfig } from '../../src/config.js'
import type { AnyDatabase } from '../../src/store/open.js'
import { median } from '../median.js'
import { keepAndRestore, TOP_2_BY_WINDOW } from './employees.js'
import type { Levels, ServerOptions, Started } from './protocol.js'

/** The service as in production, with a switch that is the benchmark's alone: which levels of the cache it uses. */
export async function startService({
  databaseUrl,
  redisUrl,
  logLevel,
}: Extract<ServerOptions, { kind: 'service' }>): Promise<Started> {
  const app = await buildApp({
    ...readConfig({ PORT: '0', LOG_LEVEL: logLevel ?? 'warn' }),
    databaseUrl,
    redisUrl,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  const { redis } = app
  const { l1 } = app.viewCache
  const { get, last } = l1
  const { getBuffer, set } = redis
  const exec = await executor(app.db, databaseUrl)

  const questions = {
    use(levels: Levels) {
      l1.get = levels === 'near' ? get : () => undefined
      // Nor is the next entry made from that of before.
      l1.last = levels === 'near' ? last : () => undefined
      redis.getBuffer = levels === 'none' ? async () => null : getBuffer
      redis.set = levels === 'none' ? async () => 'OK' : set
    },
    ...keepAndRestore(exec),
    fill(name: string, times: number) {
      const view = views.find((each) => each.name === name) as View
      return medianOf(times, async () => collect(await app.views.read(view)))
    },
    window(times: number) {
      if (app.db.dialect !== 'sqlite') throw new Error('It is measured over SQLite only')
      const { $client } = app.db.drizzle
      return medianOf(times, () => $client.prepare(TOP_2_BY_WINDOW).all())
    },
  }
  return { url, questions }
}

/** How long it takes, in milliseconds. */
async function medianOf(times: number, work: () => unknown): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    await work()
    took.push(performance.now() - start)
  }
  return median(took)
}

/** What runs statements beside the service, on one connection. */
async function executor(db: AnyDatabase, url: string): Promise<(sql: string) => Promise<void>> {
  if (db.dialect === 'sqlite') return async (sql) => void db.drizzle.$client.exec(sql)
  const client = new Client(url)
  await client.connect()
  return async (sql) => void (await client.query(sql))
}
