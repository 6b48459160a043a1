import { join } from 'node:path'
import type { Topology } from '../support/redis-topologies.js'
import type { Scope } from '../support/scope.js'
import { Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'
import { Load } from './run.js'

const PROCESSES = 2
/** Enough to see that readers read, on every process and both views. */
const SOME_READS = 200

/** Processes of the service over one Redis that changes its place, with writers and readers. */
export class UnderLoad {
  readonly env: NodeJS.ProcessEnv
  readonly services: Service[]
  readonly load: Load
  readonly #running: Promise<void>

  private constructor(env: NodeJS.ProcessEnv, services: Service[], load: Load) {
    this.env = env
    this.services = services
    this.load = load
    this.#running = load.run()
  }

  /** Resolves when the load is there, and the Redis is used. */
  static async start(scope: Scope, { url, files }: Topology): Promise<UnderLoad> {
    const env = {
      DATABASE_URL: `file:${join(await temporaryDirectory(scope), 'employees.db')}`,
      REDIS_URL: url,
      LOG_LEVEL: 'info',
      // So that each request counts something there, and waits for that.
      RATE_LIMIT_PER_MINUTE: '100000000',
      ...(files && {
        REDIS_TLS_CA_FILE: files.ca,
        REDIS_TLS_CERT_FILE: files.cert,
        REDIS_TLS_KEY_FILE: files.key,
      }),
    }
    const services: Service[] = []
    for (let i = 0; i < PROCESSES; i++) services.push(await Service.start(scope, env))
    const load = new Load(
      scope,
      services.map(({ url }) => url),
    )
    await load.createWriters()
    const run = new UnderLoad(env, services, load)
    scope.teardown(() => load.stop())
    await run.untilRedis('ok')
    await run.someReads()
    return run
  }

  /** Resolves when every process says so of its Redis. */
  async untilRedis(state: 'ok' | 'away'): Promise<void> {
    const said = new RegExp(`"redis":"${state}"`)
    await Promise.all(
      this.services.map(({ url }) =>
        until(async () => said.test(await (await fetch(`${url}/readyz`)).text())),
      ),
    )
  }

  /** Resolves when so much was read again, and something written. */
  async someReads(): Promise<void> {
    const { checkedReads, acknowledgedWrites } = this.load.history
    await until(
      () =>
        this.load.history.checkedReads > checkedReads + SOME_READS &&
        this.load.history.acknowledgedWrites > acknowledgedWrites,
    )
  }

  /** What is done meanwhile, in figures. */
  async during(work: () => Promise<unknown>): Promise<string> {
    const { checkedReads, acknowledgedWrites } = this.load.history
    this.load.slowestMs = 0
    const start = performance.now()
    await work()
    const reads = this.load.history.checkedReads - checkedReads
    const writes = this.load.history.acknowledgedWrites - acknowledgedWrites
    const ms = Math.round(performance.now() - start)
    const slowest = Math.round(this.load.slowestMs)
    return `${ms} ms: ${reads} reads checked, ${writes} writes, slowest ${slowest} ms`
  }

  /** Resolves, when all has ended, to what went wrong. */
  async stop(): Promise<string[]> {
    this.load.stop()
    await this.#running
    const { history, failures } = this.load
    return [...history.violations, ...failures, ...this.services.flatMap(({ errors }) => errors)]
  }
}
