import { buildApp } from '../../src/app.js'
import { collect } from '../../src/cache/collect.js'
import { readConfig } from '../../src/config.js'
import { median } from '../measure/median.js'
import type { Started } from './main.js'
import type { Copies, ServerOptions } from './protocol.js'

/** The service as in production, with a switch that is the benchmark's alone: which copies it uses. */
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

  const { nearCopies, redis } = app
  const { get } = nearCopies
  const { getBuffer, set } = redis
  const client = app.db.$client

  const questions = {
    use(copies: Copies) {
      nearCopies.get = copies === 'near' ? get : () => undefined
      redis.getBuffer = copies === 'none' ? async () => null : getBuffer
      redis.set = copies === 'none' ? async () => 'OK' : set
    },
    keep() {
      client.exec('CREATE TEMP TABLE original AS SELECT * FROM employees')
    },
    restore() {
      client.exec('DELETE FROM employees WHERE id > (SELECT max(id) FROM original)')
      client.exec(`
        UPDATE employees SET salary = original.salary FROM original
        WHERE employees.id = original.id AND employees.salary <> original.salary`)
    },
    async fill(view: string, times: number) {
      const took: number[] = []
      for (let i = 0; i < times; i++) {
        const start = performance.now()
        await collect(await app.employees.view(view))
        took.push(performance.now() - start)
      }
      return median(took)
    },
  }
  return { url, questions }
}
