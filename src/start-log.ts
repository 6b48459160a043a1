import type { BaseLogger } from 'pino'
import { parseRedisUrl, shownRedisUrl } from './cache/redis-url.js'
import type { Config } from './config.js'
import { RELEASE } from './release.js'
import { hostsOf } from './store/postgres/hosts.js'

/** Says what a start serves, where it is seen again: who started the service may not be who relies on it. */
export function logStart(config: Config, log: Pick<BaseLogger, 'info' | 'warn'>): void {
  const { apiKeys, webConcurrency } = config
  const processes = webConcurrency > 1 ? `${webConcurrency} workers` : 'one process'
  log.info(`employees ${RELEASE} on Node ${process.versions.node}: ${processes}`)
  log.info(`database: ${databaseOf(config)}`)
  log.info(`Redis: ${redisOf(config)}`)
  if (apiKeys.length > 0) {
    const writers = apiKeys.filter(({ role }) => role === 'write')
    log.info(`keys: ${apiKeys.length}, of which ${writers.length} may write`)
    return
  }
  log.warn(
    'No keys are configured: whoever reaches this service reads and changes every salary. ' +
      '"npm run key -- NAME ROLE" makes a key, and an entry for API_KEYS or the file of API_KEYS_FILE',
  )
}

/** Without what may be secret. */
function databaseOf({ databaseUrl }: Config): string {
  if (databaseUrl.startsWith('file:')) return `SQLite, ${databaseUrl.slice('file:'.length)}`
  const hosts = hostsOf(databaseUrl)
  return `PostgreSQL, ${hosts.map(({ name }) => name).join(', ')}/${hosts[0]?.config.database}`
}

function redisOf({ redisUrl }: Config): string {
  const target = redisUrl === undefined ? undefined : parseRedisUrl(redisUrl)
  return target ? shownRedisUrl(target) : 'none, each process keeps its own answers'
}
