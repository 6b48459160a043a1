import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { newDatabase } from './any-database.js'
import type { Scope } from './scope.js'
import { withDescriptors } from './service.js'
import { until } from './until.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Line {
  'log.level': string
  'process.pid': number
  message: string
  [field: string]: unknown
}

/** The service as a primary process with two workers, and what they say. */
export class Workers {
  readonly process: ChildProcess
  readonly databaseUrl: string
  /** Of the log, from the beginning. */
  readonly lines: Line[] = []
  /** All of stderr, once it has ended. */
  readonly errors: Promise<string>
  /** Resolves to the exit code of the primary, or null if a signal killed it, when all that was said was read. */
  readonly exit: Promise<number | null>

  private constructor(process: ChildProcess, databaseUrl: string) {
    this.process = process
    this.databaseUrl = databaseUrl
    this.exit = once(process, 'close').then(([code]) => code)
    this.errors = text(process.stderr as NonNullable<ChildProcess['stderr']>)
    createInterface({ input: process.stdout as NonNullable<ChildProcess['stdout']> }).on(
      'line',
      (line) => this.lines.push(JSON.parse(line)),
    )
  }

  /** Over a new database unless `env` names one, in a process group of its own; resolves at once, see `start`. */
  static async spawn(
    scope: Scope,
    env: NodeJS.ProcessEnv = {},
    descriptors?: number,
  ): Promise<Workers> {
    const databaseUrl = env.DATABASE_URL ?? (await newDatabase(scope))
    const variables = { WEB_CONCURRENCY: '2', PORT: '0', ...env, DATABASE_URL: databaseUrl }
    const [program, ...parameters] = withDescriptors(descriptors)
    const child = spawn(program, parameters, {
      env: { PATH: process.env.PATH, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    // Its copy of the program, which the next start would remove.
    const copy = join(ROOT, `.workers-${hostname()}-${child.pid}`)
    scope.teardown(() => rmSync(copy, { recursive: true, force: true }))
    return Workers.of(scope, child, databaseUrl)
  }

  /** Of a process that leads its group. */
  static of(scope: Scope, child: ChildProcess, databaseUrl: string): Workers {
    const workers = new Workers(child, databaseUrl)
    scope.teardown(() => workers.signalGroup('SIGKILL'))
    return workers
  }

  /** Resolves when both workers listen. */
  static async start(
    scope: Scope,
    env: NodeJS.ProcessEnv = {},
    descriptors?: number,
  ): Promise<Workers> {
    const workers = await Workers.spawn(scope, env, descriptors)
    await until(() => workers.pids.length === 2)
    return workers
  }

  /** Of the workers that have ever listened, in that order. */
  get pids(): number[] {
    return this.#listening().map((line) => line['process.pid'])
  }

  get url(): string {
    return /http:\/\/[\d.:]+/.exec(this.#listening()[0]?.message ?? '')?.[0] as string
  }

  /** The lines of the log whose message begins like this. */
  said(message: string): Line[] {
    return this.lines.filter((line) => line.message.startsWith(message))
  }

  /** As Ctrl-C does. */
  signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.process.pid as number), signal)
    } catch {
      // None of them lives.
    }
  }

  #listening(): Line[] {
    return this.said('Server listening')
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
