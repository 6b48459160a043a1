import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { freePort } from './free-port.js'
import { PostgresCleaner } from './postgres-cleaner.js'
import { createDatabase, postgresClient, queryOnce } from './postgres-client.js'
import {
  addSettings,
  initialize,
  isReady,
  removeSharedMemory,
  type Settings,
  serverDirectory,
} from './postgres-data.js'
import { asServer, postgresProgram } from './postgres-program.js'
import { areStopped, childrenOf, haveEnded, signalAll } from './processes.js'
import type { Scope } from './scope.js'
import { until } from './until.js'

export interface PostgresOptions {
  settings?: Settings
  /** Rather than in memory, where some make hundreds of files, a database, many times as fast. */
  onDisk?: boolean
}

/** A PostgreSQL server of the test's own, on a free port, that it may freeze, kill and start again. */
export class PostgresServer {
  readonly port: number
  /** Its data directory. */
  readonly data: string
  readonly password: string
  readonly #directory: string
  readonly #scope: Scope
  readonly #cleaner: PostgresCleaner
  #process: ChildProcess | undefined
  #isOver = false

  /** @param directory has the data directory */
  protected constructor(scope: Scope, directory: string, port: number, password: string) {
    this.#scope = scope
    this.#directory = directory
    this.port = port
    this.password = password
    this.data = join(directory, 'data')
    this.#cleaner = new PostgresCleaner(directory)
    scope.teardown(() => this.#end())
  }

  static async start(
    scope: Scope,
    { settings = {}, onDisk = false }: PostgresOptions = {},
  ): Promise<PostgresServer> {
    const port = await freePort()
    const password = randomUUID()
    const directory = await serverDirectory(scope, onDisk)
    const server = new PostgresServer(scope, directory, port, password)
    await initialize(directory, password)
    await server.configure({
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      // In the data directory, so that one that was killed leaves nothing behind.
      dynamic_shared_memory_type: 'mmap',
      ...settings,
    })
    await server.start()
    return server
  }

  /** For its superuser. */
  url(database = 'postgres'): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/${database}`
  }

  /** A connected client that is closed with the scope of the server. */
  client(database?: string): Promise<Client> {
    return postgresClient(this.#scope, this.url(database))
  }

  /** The URL of a new, empty database. */
  createDatabase(): Promise<string> {
    return createDatabase(this.url())
  }

  /** Adds to its configuration: from the next start on, or from SIGHUP, as PostgreSQL tells of each. */
  async configure(settings: Settings): Promise<void> {
    await addSettings(this.data, settings)
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    // A test that took too long goes on when all that it had is gone.
    if (this.#isOver) throw new Error('The scope of this server has ended')
    const logPath = join(this.#directory, 'log')
    const log = openSync(logPath, 'w')
    const child = spawn(postgresProgram('postgres'), ['-D', this.data], {
      ...asServer(this.#directory),
      // A file, since nobody would read a pipe while a process waits for tests.
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    this.#process = child
    this.#cleaner.processes = this.#pids
    await until(() => isReady(this.data, child.pid) || !this.isRunning)
    if (this.isRunning) return
    throw new Error(`The PostgreSQL server did not start:\n${await readFile(logPath, 'utf8')}`)
  }

  /** Of the postmaster. */
  get pid(): number {
    const [pid] = this.#pids
    if (pid === undefined) throw new Error('The PostgreSQL server does not run')
    return pid
  }

  get isRunning(): boolean {
    return this.#pids.length > 0
  }

  /** To the postmaster alone. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Stops it where it is, with its connections open; resolves when no process of it runs. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP')
    await until(() => areStopped(this.#pids))
    // It alone starts more of them.
    const all = [...this.#pids, ...this.#children]
    this.#cleaner.processes = all
    signalAll(all, 'SIGSTOP')
    await until(() => areStopped(all))
  }

  /** Lets it go on, and whatever part of it was frozen. */
  thaw(): void {
    signalAll([...this.#children, ...this.#pids], 'SIGCONT')
    this.#cleaner.processes = this.#pids
  }

  /** Kills all of it at once, frozen or not; resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    await this.freeze()
    const children = this.#children
    signalAll(children, 'SIGKILL')
    await this.#exit('SIGKILL')
    await until(() => haveEnded(children))
  }

  /** Ends it as an operator does: what runs is rolled back, and all is written. */
  async shutdown(): Promise<void> {
    await this.#exit('SIGINT')
  }

  /** Makes a standby a primary. */
  async promote(): Promise<void> {
    await queryOnce(this.url(), 'SELECT pg_promote()')
  }

  /** That of the postmaster, if it runs. */
  get #pids(): number[] {
    const child = this.#process
    return child?.pid && child.exitCode === null && child.signalCode === null ? [child.pid] : []
  }

  get #children(): number[] {
    return this.#pids.flatMap(childrenOf)
  }

  async #exit(signal: NodeJS.Signals): Promise<void> {
    if (this.isRunning) {
      const child = this.#process as ChildProcess
      child.ref()
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    }
    this.#cleaner.processes = []
  }

  async #end(): Promise<void> {
    this.#isOver = true
    this.thaw()
    // An immediate shutdown, as it gives the system its shared memory back. A killed one could not.
    await this.#exit('SIGQUIT')
    removeSharedMemory(this.data)
    await this.#cleaner.clean()
  }
}
