import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Employee } from '../../../src/employees/schemas.js'
import { History } from '../../coherence/history.js'
import { until } from '../../support/until.js'
import { type Answer, ProcessClient, type Tally } from './client.js'
import { Creations } from './creations.js'

/** Salaries of writers' employees start here: high, and the first of their department. */
const BASE = 1_000_000
const VIEWS = ['/employees/high-salary', '/employees/top2-by-department']
/** Between two requests of a loop: what serves must have time to notice that something is wrong. */
const PACE_MS = 5

/** An employee of the load, as the database has it in the end. */
export type Kept = Pick<Employee, 'id' | 'name' | 'salary'>

/**
 * Writers and readers of every process, each of which asks one process alone, whatever becomes of that. A
 * writer counts in the salary of an employee of its own, and creates others; what it gets is judged by
 * {@link History} and {@link Creations}. An answer of 503 is none; any other failure is a fault.
 */
export class FailoverLoad {
  readonly clients: ProcessClient[]
  readonly history: History
  readonly creations = new Creations()
  readonly failures: string[] = []
  /** What the names of all its departments begin with. */
  readonly prefix = `failover ${randomUUID().slice(0, 8)} `
  /** The employee of each writer. */
  readonly #ids: number[] = []
  /** One that was created and acknowledged. */
  #lastCreated: number | undefined
  readonly #paused = new Set<number>()
  #running: Promise<unknown> = Promise.resolve()
  #isStopped = false

  /** @param urls of the processes */
  constructor(urls: string[]) {
    this.clients = urls.map((url) => new ProcessClient(url, this.failures))
    this.history = new History(urls.length)
  }

  get acknowledged(): number {
    return this.history.acknowledgedWrites + this.creations.acknowledged
  }

  get tallies(): Tally[] {
    return this.clients.map(({ tally }) => ({ ...tally }))
  }

  get slowestRefusal(): { ms: number; what: string } {
    return this.clients
      .map(({ slowestRefusal }) => slowestRefusal)
      .reduce((slowest, each) => (each.ms > slowest.ms ? each : slowest))
  }

  /** Begins; resolves when every process has read and written. */
  async start(): Promise<void> {
    for (const writer of this.clients.keys()) {
      this.#ids.push(await this.#create('writer', BASE, `${this.prefix}${writer}`))
    }
    // So that no view shows anybody else of their department.
    for (const name of ['first', 'second']) await this.#create(name, BASE, this.#others)
    this.#running = Promise.all(
      this.clients.flatMap((_, process) => [
        this.#loop(process, this.#writer(process)),
        this.#loop(process, this.#toucher(process)),
        ...VIEWS.map((path) => this.#loop(process, this.#viewReader(process, path))),
        this.#loop(process, this.#employeeReader(process)),
      ]),
    )
    await this.untilAll(({ reads, writes }, before) => {
      return reads > before.reads + 20 && writes > before.writes + 10
    })
  }

  /** Resolves when what all processes, or some, have answered from now on is enough. */
  async untilAll(
    isEnough: (tally: Tally, before: Tally) => boolean,
    processes = [...this.clients.keys()],
  ): Promise<void> {
    const before = this.tallies
    await until(() =>
      processes.every((each) => isEnough(this.tallies[each] as Tally, before[each] as Tally)),
    )
  }

  /** Resolves when these have done writes that were sent from now on. */
  async untilWritesGoOn(processes?: number[]): Promise<void> {
    // Two loops write: of three writes one was sent after another of these was answered.
    await this.untilAll(({ writes }, before) => writes >= before.writes + 3, processes)
  }

  /** Sends nothing more to a process; resolves when it has answered all. */
  async pause(process: number): Promise<void> {
    this.#paused.add(process)
    await until(() => this.clients[process]?.isIdle)
  }

  resume(process: number): void {
    this.#paused.delete(process)
  }

  /** Ends it; resolves when all is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  /** What was wrong since this was asked last. */
  takeFaults(): string[] {
    for (const client of this.clients) client.slowestRefusal = { ms: 0, what: '' }
    return [...this.history.violations.splice(0), ...this.failures.splice(0)]
  }

  /** What was wrong, given all employees in departments of its prefix that the last primary has. */
  judge(kept: Kept[]): string[] {
    this.history.read('the database in the end')(this.#shownBy(kept))
    return [
      ...this.history.violations,
      ...this.failures,
      ...this.creations.judge(kept.map(({ name }) => name)),
    ]
  }

  /** The department of all that are created meanwhile. */
  get #others(): string {
    return `${this.prefix}others`
  }

  async #create(name: string, salary: number, department: string): Promise<number> {
    const body = { name, salary, department }
    const created = await this.clients[0]?.send('POST', '/employees', body)
    if (!created?.isDone) throw new Error(`Nothing could be created: ${created?.text}`)
    return (JSON.parse(created.text) as Employee).id
  }

  async #loop(process: number, once: () => Promise<void>): Promise<void> {
    while (!this.#isStopped) {
      if (!this.#paused.has(process)) await once()
      await delay(PACE_MS)
    }
  }

  #writer(process: number): () => Promise<void> {
    const client = this.clients[process] as ProcessClient
    return async () => {
      const { value, ...write } = this.history.write(process)
      const path = `/employees/${this.#ids[process]}`
      const answer = await client.send('PUT', path, { salary: BASE + value })
      tell(write, answer)
      if (value % 3 === 0) await this.#createOne(process, value % 2 === 0)
    }
  }

  /** Creates an employee whom no view shows; with a key it is tried until it is done, and is there once. */
  async #createOne(process: number, hasKey: boolean): Promise<void> {
    const client = this.clients[process] as ProcessClient
    const { name, ...creation } = this.creations.begin()
    const body = { name, salary: 1, department: this.#others }
    const key: Record<string, string> = hasKey ? { 'idempotency-key': `"${randomUUID()}"` } : {}
    for (;;) {
      const answer = await client.send('POST', '/employees', body, key)
      if (answer?.isDone) this.#lastCreated = (JSON.parse(answer.text) as Employee).id
      if (hasKey && answer?.status === 503 && !this.#isStopped) {
        // What a later try has not done, an earlier one may have.
        if (!answer.isRefused) creation.refused = () => {}
        await delay(PACE_MS)
        continue
      }
      tell(creation, answer)
      return
    }
  }

  /** Changes what was created last, mostly on another process: that it is not there is a fault. */
  #toucher(process: number): () => Promise<void> {
    return async () => {
      if (this.#lastCreated === undefined) return
      const path = `/employees/${this.#lastCreated}`
      await this.clients[process]?.send('PUT', path, { salary: 2 })
    }
  }

  /** Reads a view, every other time on condition that it changed. */
  #viewReader(process: number, path: string): () => Promise<void> {
    const client = this.clients[process] as ProcessClient
    let known: { etag: string; shown: number[] } | undefined
    let turn = 0
    return async () => {
      const headers: Record<string, string> =
        known && turn++ % 2 === 0 ? { 'if-none-match': known.etag } : {}
      const judge = this.history.read(`${client.url}${path}`)
      const answer = await client.send('GET', path, undefined, headers)
      if (!answer?.isDone) return
      if (answer.status === 200) {
        known = { etag: answer.etag, shown: this.#shownBy(JSON.parse(answer.text) as Employee[]) }
      }
      judge(known?.shown ?? [])
    }
  }

  /** Reads writers' employees: each by its id, and on a page and in a list of its department. */
  #employeeReader(process: number): () => Promise<void> {
    let turn = 0
    return async () => {
      const writer = turn++ % this.clients.length
      const department = `department=${encodeURIComponent(`${this.prefix}${writer}`)}`
      await this.#read(process, `/employees/${this.#ids[writer]}`, writer)
      await this.#read(process, `/employees?${department}&limit=2`, writer)
      await this.#read(process, `/employees?${department}`, writer)
    }
  }

  async #read(process: number, path: string, only?: number): Promise<void> {
    const client = this.clients[process] as ProcessClient
    const judge = this.history.read(`${client.url}${path}`, only)
    const answer = await client.send('GET', path)
    if (!answer?.isDone) return
    const shown = JSON.parse(answer.text) as Employee | Employee[]
    judge(this.#shownBy([shown].flat()))
  }

  /** The number that each writer had come to. */
  #shownBy(employees: Kept[]): number[] {
    const salaries = new Map(employees.map(({ id, salary }) => [id, salary]))
    return this.#ids.map((id) => (salaries.get(id) ?? BASE) - BASE)
  }
}

function tell(
  write: { acknowledged: () => void; refused: () => void },
  answer: Answer | undefined,
): void {
  if (answer?.isDone) write.acknowledged()
  else if (answer?.isRefused) write.refused()
}
