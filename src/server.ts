import './runtime.js'

import cluster from 'node:cluster'
import { pino } from 'pino'
import { buildApp } from './app.js'
import { assertUsableRedis, UnusableRedis } from './cache/redis-check.js'
import { assertGuarded, type Config, ConfigError, describeVariables, readConfig } from './config.js'
import { EXIT } from './exit-codes.js'
import { closeGracefully } from './graceful-close.js'
import { addressOf, assertCanListen, CannotListen, listening } from './listening.js'
import { loggerOptions } from './logger.js'
import { logStart } from './start-log.js'
import { UnusableDatabase } from './store/errors.js'
import { openDatabase } from './store/open.js'
import { logCreated, logExposed } from './store/sqlite/private-files.js'
import { logViewChanges } from './store/view-changes.js'
import { answerPings } from './workers/heartbeat.js'
import { superviseWorkers } from './workers/supervise.js'
import { closeWithPrimary } from './workers/worker.js'

const CLOSE_TIMEOUT_MS = 10_000

const HELP = `The employees service: a JSON API over employees and salaries.

It is configured by environment variables, as in "PORT=8080 npm start", and takes no arguments but

  -h, --help                  says this

${describeVariables()}

It closes gracefully on SIGTERM and SIGINT: exit code 0, or 1 after an error, ${CLOSE_TIMEOUT_MS / 1000} seconds, or a second
signal. It does not start with 1 for what may be better the next time, like a port in use, and with 2
for arguments or variables that are wrong.`

const [argument] = process.argv.slice(2)
if (argument === '--help' || argument === '-h') console.log(HELP)
else if (argument !== undefined) refuse(argument)
else await main()

/** Names a flag without its value: that may be a password. */
function refuse(argument: string): void {
  const [flag = 'An argument'] = /^--?[\w-]+/.exec(argument) ?? []
  console.error(
    `${flag}: the service takes no arguments, it is configured by environment variables, as in ` +
      '"PORT=3000 npm start"; "npm start -- --help" lists them',
  )
  process.exitCode = EXIT.usage
}

async function main(): Promise<void> {
  try {
    const config = readConfig(process.env)
    // Before a name that leads nowhere is told to be open to others.
    await addressOf(config.host)
    assertGuarded(config)
    // Once, and not in each worker; and before a database is made.
    if (cluster.isPrimary) {
      await assertCanListen(config)
      if (config.redisUrl) await assertUsableRedis(config.redisUrl, config.redisTls)
    }
    if (config.webConcurrency > 1 && cluster.isPrimary) await supervise(config)
    else await serve(config)
  } catch (error) {
    const { message, stack } = error as Error
    const isTold = [ConfigError, UnusableDatabase, UnusableRedis, CannotListen].some(
      (known) => error instanceof known,
    )
    console.error(isTold ? message : stack)
    process.exit(error instanceof ConfigError ? EXIT.usage : EXIT.failed)
  }
}

/** Migrates, and finds out whether that can be done at all, once and not in each worker. */
async function supervise(config: Config): Promise<void> {
  const { stream, ...options } = loggerOptions(config)
  const log = pino(options, stream)
  const database = await openDatabase(config.databaseUrl, {
    onViewChange: logViewChanges(log),
    onCreated: logCreated(log),
    onExposed: logExposed(log),
  })
  await database.close()
  logStart(config, log)
  superviseWorkers(config.webConcurrency, log, CLOSE_TIMEOUT_MS)
}

async function serve(config: Config): Promise<void> {
  const app = await buildApp(config)
  if (cluster.isWorker) {
    answerPings()
    closeWithPrimary(CLOSE_TIMEOUT_MS, app.log, close)
  } else {
    logStart(config, app.log)
    const kill = (reason: string) => app.log.error(`${reason}: ending at once`)
    closeGracefully({ timeoutMs: CLOSE_TIMEOUT_MS, log: app.log, kill }, close)
  }
  const host = await addressOf(config.host)
  await listening(config, () => app.listen({ host, port: config.port }))

  async function close({ err, signal }: { err?: Error | undefined; signal?: string | undefined }) {
    if (err) app.log.fatal({ err }, 'closing after an error')
    else app.log.info({ signal }, 'closing')
    await app.close()
  }
}
