import type { Test } from 'tap'
import { FaultProxy } from '../../support/fault-proxy.js'
import { queryOnce } from '../../support/postgres-client.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { PostgresStandby } from '../../support/postgres-standby.js'
import { RedisServer } from '../../support/redis-server.js'
import type { Scope } from '../../support/scope.js'
import { Service } from '../../support/service.js'
import { FailoverLoad, type Kept } from './failover-load.js'

/** Within which a 503 must come, in milliseconds. */
export const REFUSAL_MS = 3000
/** Within which writes must go on when a standby was promoted. */
export const FAILOVER_MS = 8000

/** How one process reaches the servers. */
interface Ways {
  old: FaultProxy
  new: FaultProxy
}

/**
 * A primary with its synchronous standby, and processes of the service under load, each with ways of its own
 * to either: what one reaches, another may not.
 */
export class Cluster {
  readonly primary: PostgresServer
  readonly standby: PostgresStandby
  /** Of three processes. */
  readonly ways: [Ways, Ways, Ways]
  readonly services: Service[]
  readonly load: FailoverLoad
  readonly #database: string
  #told = { acknowledged: 0, checkedReads: 0 }

  private constructor(
    servers: [PostgresServer, PostgresStandby],
    ways: Cluster['ways'],
    services: Service[],
    database: string,
  ) {
    ;[this.primary, this.standby] = servers
    this.ways = ways
    this.services = services
    this.load = new FailoverLoad(services.map(({ url }) => url))
    this.#database = database
  }

  /** Resolves when every process has written and read. */
  static async start(scope: Scope, env: NodeJS.ProcessEnv = {}): Promise<Cluster> {
    const primary = await PostgresServer.start(scope)
    const database = new URL(await primary.createDatabase()).pathname.slice(1)
    const standby = await PostgresStandby.of(scope, primary)
    const redis = await RedisServer.start(scope)
    const way = async (): Promise<Ways> => ({
      old: await FaultProxy.start(scope, primary.url(database)),
      new: await FaultProxy.start(scope, standby.url(database)),
    })
    const ways: Cluster['ways'] = [await way(), await way(), await way()]
    const services = await Promise.all(
      ways.map((each) => {
        const url = new URL(each.old.url)
        const hosts = `${url.host},127.0.0.1:${each.new.port}`
        const DATABASE_URL = url.href.replace(url.host, hosts)
        return Service.start(scope, { DATABASE_URL, REDIS_URL: redis.url, ...env })
      }),
    )
    const cluster = new Cluster([primary, standby], ways, services, database)
    scope.teardown(() => cluster.load.stop())
    await cluster.load.start()
    return cluster
  }

  /** Ends the connections of all processes to the primary; says how many they were. */
  async endConnections(): Promise<number> {
    const { rowCount } = await queryOnce(
      this.primary.url(),
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${this.#database}'`,
    )
    return rowCount ?? 0
  }

  /** Promotes the standby; says after how many seconds these processes do writes again. */
  async promote(processes?: number[]): Promise<string> {
    const start = performance.now()
    await this.standby.promote()
    await this.load.untilWritesGoOn(processes)
    return seconds(start)
  }

  /** Sees to it that whoever asks is told in time that there is no database, and that all of them live. */
  async assertAway(t: Test): Promise<void> {
    const areRefused = this.load.untilAll(
      ({ refusedReads, refusedWrites }, before) =>
        refusedReads > before.refusedReads && refusedWrites > before.refusedWrites,
    )
    await Promise.all(this.services.map(({ url }) => assertUnready(t, url)))
    await areRefused
  }

  /** Sees to it that nothing was wrong until now, and says what was done since that was asked last. */
  assertRight(t: Test, figures: string): void {
    const { load } = this
    const { acknowledged, slowestRefusal } = load
    const { checkedReads } = load.history
    const writes = acknowledged - this.#told.acknowledged
    const reads = checkedReads - this.#told.checkedReads
    this.#told = { acknowledged, checkedReads }
    const faults = load.takeFaults()
    const refused = `${(slowestRefusal.ms / 1000).toFixed(2)} s (${slowestRefusal.what})`
    t.comment(
      `${figures}: ${writes} writes acknowledged, ${reads} reads judged, ${faults.length} things wrong, slowest 503 after ${refused}`,
    )
    t.strictSame(faults.slice(0, 5), [])
    t.ok(slowestRefusal.ms < REFUSAL_MS, 'every 503 came in time')
  }

  /** Ends the load, and sees to it that the last primary has what was acknowledged, and all processes live. */
  async assertKept(t: Test, last: PostgresServer): Promise<void> {
    await this.load.stop()
    const faults = this.load.judge(await this.#kept(last, this.load.prefix))
    t.strictSame(faults.slice(0, 5), [])
    for (const { process, errors } of this.services) {
      t.equal(process.exitCode ?? process.signalCode, null, 'the process lives')
      // Of 503 there are lines, too, by their kinds.
      t.strictSame(
        errors.filter((line) => JSON.parse(line)['error.code'] === undefined).slice(0, 5),
        [],
      )
    }
  }

  async #kept(server: PostgresServer, prefix: string): Promise<Kept[]> {
    const { rows } = await queryOnce(
      server.url(this.#database),
      `SELECT id::int, name, salary FROM employees WHERE starts_with(department, '${prefix}')`,
    )
    return rows
  }
}

async function assertUnready(t: Test, url: string): Promise<void> {
  let start = 0
  let ready: Response
  do {
    start = performance.now()
    ready = await fetch(`${url}/readyz`)
  } while (ready.status === 200)
  t.equal(ready.status, 503)
  t.ok(performance.now() - start < REFUSAL_MS, '/readyz answers in time')
  t.ok(ready.headers.get('retry-after'))
  t.match(await ready.json(), { detail: /^The database cannot do this now \(.+\)/ })
  t.equal((await fetch(`${url}/livez`)).status, 200)
}

/** How long it was since a moment of `performance.now()`. */
export function seconds(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1)
}
