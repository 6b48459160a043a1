import './runtime.js'

import cluster from 'node:cluster'
import { lookup } from 'node:dns/promises'
import closeWithGrace from 'close-with-grace'
import { type BaseLogger, pino } from 'pino'
import { buildApp } from './app.js'
import { assertGuarded, type Config, ConfigError, describeVariables, readConfig } from './config.js'
import { loggerOptions } from './logger.js'
import { openDatabase } from './store/sqlite/database.js'
import { logExposed } from './store/sqlite/private-files.js'
import { logViewChanges } from './store/view-changes.js'
import { superviseWorkers } from './workers/supervise.js'
import { closeWithPrimary, SIGNALS } from './workers/worker.js'

const CLOSE_TIMEOUT_MS = 10_000

const HELP = `The employees service: a JSON API over employees and salaries.

It is configured by environment variables alone:

${describeVariables()}

It closes gracefully on SIGTERM and SIGINT: exit code 0, or 1 after an error or ${CLOSE_TIMEOUT_MS / 1000} seconds.`

if (process.argv.includes('--help')) console.log(HELP)
else await main()

async function main(): Promise<void> {
  try {
    const config = readConfig(process.env)
    assertGuarded(config)
    if (config.webConcurrency > 1 && cluster.isPrimary) {
      // Migrates, and finds out whether that can be done at all, once and not in each worker.
      const { stream, ...options } = loggerOptions(config)
      const log = pino(options, stream)
      openDatabase(config.databaseUrl, {
        onViewChange: logViewChanges(log),
        onExposed: logExposed(log),
      }).$client.close()
      warnIfOpen(config, log)
      superviseWorkers(config.webConcurrency, log, CLOSE_TIMEOUT_MS)
    } else {
      await serve(config)
    }
  } catch (error) {
    const { message, stack } = error as Error
    console.error(error instanceof ConfigError ? message : stack)
    process.exit(1)
  }
}

async function serve(config: Config): Promise<void> {
  const app = await buildApp(config)
  let closing = false
  if (!cluster.isWorker) warnIfOpen(config, app.log)
  const skip = cluster.isWorker ? [...SIGNALS] : []
  const { close } = closeWithGrace(
    { delay: CLOSE_TIMEOUT_MS, logger: app.log, skip },
    async ({ err, signal }) => {
      closing = true
      if (err) app.log.fatal({ err }, 'closing after an error')
      else app.log.info({ signal }, 'closing')
      await app.close()
    },
  )
  if (cluster.isWorker) closeWithPrimary(() => closing || close())
  // By its address: for a name that has two, Fastify would open a second server, which knows no limits.
  const { address } = await lookup(config.host)
  await app.listen({ host: address, port: config.port })
}

/** Says it where it is seen again: who started the service may not be who relies on it. */
function warnIfOpen({ apiKeys }: Config, log: Pick<BaseLogger, 'warn'>): void {
  if (apiKeys.length > 0) return
  log.warn(
    'No keys are configured: whoever reaches this service reads and changes every salary. ' +
      '"npm run key -- NAME ROLE" makes a key, and an entry for API_KEYS or the file of API_KEYS_FILE',
  )
}
