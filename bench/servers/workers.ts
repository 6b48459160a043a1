import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '../../test/support/free-port.js'
import type { Scope } from '../../test/support/scope.js'
import { SERVER } from '../../test/support/service.js'
import { until } from '../../test/support/until.js'
import type { Target } from './process.js'

/** The service as two worker processes; what they use is read from their common metrics. */
export async function startWorkers(scope: Scope, databaseUrl: string): Promise<Target> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    PATH: process.env.PATH,
    WEB_CONCURRENCY: '2',
    PORT: `${port}`,
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'warn',
  }
  const primary = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const exit = once(primary, 'exit')
  scope.teardown(() => {
    primary.kill()
    return exit
  })
  const both = /^employees_workers 2$/m
  await until(async () => both.test(await metrics().catch(() => '')))
  return {
    url,
    async cpu() {
      const [, seconds] = /^process_cpu_seconds_total ([\d.e+-]+)$/m.exec(await metrics()) ?? []
      return Number(seconds) * 1e6
    },
  }

  async function metrics(): Promise<string> {
    return (await fetch(`${url}/metrics`)).text()
  }
}
