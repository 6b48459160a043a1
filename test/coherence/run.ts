import { setImmediate } from 'node:timers/promises'
import type { Employee } from '../../src/employees/schemas.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { RedisServer, redisClient } from '../support/redis-server.js'
import type { Scope } from '../support/scope.js'
import { Service } from '../support/service.js'
import { openShell } from '../support/shell.js'
import { until } from '../support/until.js'
import { History } from './history.js'
import { phases } from './phases.js'
import { PipelinedConnection } from './pipelined-connection.js'

const PROCESSES = 3
const WRITERS = 3
const READERS = 6
const PIPELINED_READERS = 3
/** How many requests each of them has under way at once. */
const DEPTH = 4
/**
 * How many versions of a view say what changed: so few that misses are read as a whole nearly as often as
 * by their parts.
 */
const LINKS = 3
/** Salaries of writers' employees start here: high, and the first of their department. */
const BASE = 1_000_000

const VIEWS = ['/employees/high-salary', '/employees/top2-by-department']

export interface Report {
  violations: string[]
  failures: string[]
  phases: { phase: string; reads: number; writes: number; slowestMs: number }[]
  /** How many answers came from where, by their Cache-Status. */
  sources: Record<string, number>
}

/**
 * Runs writers and readers over three processes of the service, one database and one Redis behind a
 * proxy, through every fault, and checks each read against the history.
 */
export async function runCoherence(
  scope: Scope,
  databaseUrl: string,
  phaseMs: number,
  say: (phase: string) => void = () => {},
): Promise<Report> {
  const server = await RedisServer.start(scope)
  const proxy = await FaultProxy.start(scope, server.url)
  const admin = redisClient(scope, server.url)
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: proxy.url, LOG_LEVEL: 'info' }
  const services = await Promise.all(
    Array.from({ length: PROCESSES }, () => Service.start(scope, env)),
  )
  const urls = services.map(({ url }) => url)
  await (await openShell(scope, databaseUrl)).run(`UPDATE view_versions SET links = ${LINKS}`)

  const load = new Load(scope, urls)
  await load.createWriters()
  const report: Report = {
    violations: load.history.violations,
    failures: load.failures,
    phases: [],
    sources: load.sources,
  }
  const running = load.run()
  for (const [phase, happen] of Object.entries(phases)) {
    const { checkedReads, acknowledgedWrites } = load.history
    load.slowestMs = 0
    say(phase)
    await happen({ server, proxy, admin, phaseMs })
    report.phases.push({
      phase,
      reads: load.history.checkedReads - checkedReads,
      writes: load.history.acknowledgedWrites - acknowledgedWrites,
      slowestMs: Math.round(load.slowestMs),
    })
  }
  for (const url of urls) {
    await until(async () => /"redis":"ok"/.test(await (await fetch(`${url}/readyz`)).text()))
  }
  load.stop()
  await running
  for (const { errors } of services) report.failures.push(...errors)
  return report
}

/** Writers, each counting in the salary of an employee of its own, and readers of both views. */
export class Load {
  readonly history = new History(WRITERS)
  readonly failures: string[] = []
  readonly sources: Record<string, number> = {}
  slowestMs = 0
  readonly #scope: Scope
  readonly #urls: string[]
  readonly #ids: number[] = []
  #stopped = false

  constructor(scope: Scope, urls: string[]) {
    this.#scope = scope
    this.#urls = urls
  }

  async createWriters(): Promise<void> {
    for (let writer = 0; writer < WRITERS; writer++) {
      const body = { name: 'writer', salary: BASE, department: `${writer}` }
      const created = await this.#send(`${this.#urls[0]}/employees`, 'POST', body)
      this.#ids.push(((await created.json()) as Employee).id)
    }
  }

  /** Until it is stopped. The URLs may change meanwhile, unless readers pipeline. */
  async run(pipelinedReaders = PIPELINED_READERS): Promise<void> {
    const loops = [
      ...Array.from({ length: WRITERS }, (_, writer) => () => this.#write(writer)),
      ...Array.from({ length: READERS }, (_, reader) => this.#reader(reader)),
      ...Array.from({ length: pipelinedReaders }, (_, reader) => this.#pipelined(reader)),
    ]
    await Promise.all(
      loops.map(async (loop) => {
        while (!this.#stopped) await loop().catch((error) => this.#failed(error))
      }),
    )
  }

  stop(): void {
    this.#stopped = true
  }

  #failed(error: Error): void {
    this.failures.push(`${error}`)
  }

  async #write(writer: number): Promise<void> {
    const { value, acknowledged } = this.history.write(writer)
    const url = this.#urls[(writer + value) % this.#urls.length]
    await this.#send(`${url}/employees/${this.#ids[writer]}`, 'PUT', { salary: BASE + value })
    acknowledged()
    // Somebody whom no view shows: this must evict nothing, and lose nothing.
    if (value % 5 === 0) {
      await this.#send(`${url}/employees`, 'POST', { name: 'low', salary: 1, department: '0' })
    }
  }

  /** Reads a view on each process in turn, every other time on condition that it changed. */
  #reader(reader: number): () => Promise<void> {
    const path = VIEWS[reader % VIEWS.length] as string
    let known: { etag: string; shown: number[] } | undefined
    let turn = reader
    return async () => {
      const url = this.#urls[turn++ % this.#urls.length]
      const headers: Record<string, string> =
        known && turn % 2 === 0 ? { 'if-none-match': known.etag } : {}
      const judge = this.history.read(`${url}${path}`)
      const answer = await this.#send(`${url}${path}`, 'GET', undefined, headers)
      const source = `${answer.headers.get('cache-status')}`.replace(/; ttl=\d+/, '')
      this.sources[source] = (this.sources[source] ?? 0) + 1
      if (answer.status === 200) {
        const etag = answer.headers.get('etag') as string
        known = { etag, shown: shownBy((await answer.json()) as Employee[]) }
      }
      judge(known?.shown ?? [])
    }
  }

  /**
   * Reads a view with several requests on one connection, each sent a little later than the one before
   * and without waiting for it: what one shows may be older than what was known when the next was sent.
   */
  #pipelined(reader: number): () => Promise<void> {
    const path = VIEWS[reader % VIEWS.length] as string
    const connections = this.#urls.map((url) => new PipelinedConnection(this.#scope, url))
    let turn = reader
    return async () => {
      const place = turn++ % connections.length
      const read = async () => {
        const judge = this.history.read(`${this.#urls[place]}${path}, pipelined`)
        const body = await (connections[place] as PipelinedConnection).get(path)
        const shown = JSON.parse(body)
        if (!Array.isArray(shown)) throw new Error(`GET ${path}, pipelined, gave ${body}`)
        judge(shownBy(shown))
      }
      const reads: Promise<void>[] = []
      for (let i = 0; i < DEPTH; i++) {
        // At once: nobody looks at it before the others are sent.
        reads.push(read().catch((error) => this.#failed(error)))
        await setImmediate()
      }
      await Promise.all(reads)
    }
  }

  async #send(url: string, method: string, body?: object, headers = {}): Promise<Response> {
    const start = performance.now()
    const answer = await fetch(url, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      body: body ? JSON.stringify(body) : null,
    })
    this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    if (answer.status >= 400) {
      throw new Error(`${method} ${url} gave ${answer.status}: ${await answer.text()}`)
    }
    return answer
  }
}

/** The number that each writer had come to. */
function shownBy(employees: Employee[]): number[] {
  const shown: number[] = []
  for (const { department, salary, name } of employees) {
    if (name === 'writer') shown[Number(department)] = salary - BASE
  }
  return shown
}
