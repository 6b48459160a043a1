import { buildApp } from '../../src/app.js'
import { type Config, readConfig } from '../../src/config.js'
import { newDatabase } from './any-database.js'
import { checkAnswers } from './check-answers.js'
import { waitForReplies } from './command-timeouts.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'
import { until } from './until.js'

checkAnswers()

/** The service as in production, on a new database, closed with the test. */
export async function build(t: Scope, overrides: Partial<Config> = {}) {
  const databaseUrl = overrides.databaseUrl ?? (await newDatabase(t))
  const app = await buildApp({
    ...readConfig({ LOG_LEVEL: 'silent' }),
    ...overrides,
    databaseUrl,
  })
  t.teardown(() => app.close())
  await app.ready()
  return app
}

/**
 * As `build`, over a Redis that is there: it is connected when the promise resolves, and is waited for
 * as long as it takes.
 */
export async function buildOverRedis(t: Scope, overrides: Partial<Config> & { redisUrl: string }) {
  waitForReplies(t)
  const app = await build(t, overrides)
  await until(() => app.redisState() === 'ok')
  return app
}

export type App = Awaited<ReturnType<typeof build>>

export { temporaryDirectory }
