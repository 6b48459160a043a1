import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Scope } from './scope.js'

/** The program that `npm start` runs. */
export const SERVER = fileURLToPath(new URL('../../src/server.js', import.meta.url))

/** The command that starts it with so many descriptors. */
export function withDescriptors(count: number | undefined): [string, ...string[]] {
  const command: [string, ...string[]] = [process.execPath, SERVER]
  if (count === undefined) return command
  return ['sh', '-c', `ulimit -n ${count} && exec "$0" "$@"`, ...command]
}

/** The service as a process of its own, on a free port. */
export class Service {
  readonly url: string
  readonly process: ChildProcess

  /** The lines of its log that tell of errors. */
  readonly errors: string[]

  /** Those that warn. */
  readonly warnings: string[]

  private constructor(url: string, process: ChildProcess, errors: string[], warnings: string[]) {
    this.url = url
    this.process = process
    this.errors = errors
    this.warnings = warnings
  }

  /**
   * Resolves when it listens.
   *
   * @param command that starts it in a way of its own, see `withDescriptors` and `traced`
   */
  static async start(
    scope: Scope,
    env: NodeJS.ProcessEnv,
    command = withDescriptors(undefined),
  ): Promise<Service> {
    const [program, ...parameters] = command
    const child = spawn(program, parameters, {
      env: { PATH: process.env.PATH, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    scope.teardown(() => child.kill('SIGKILL'))
    const errors: string[] = []
    const warnings: string[] = []
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { 'log.level': level, message } = JSON.parse(line)
        if (level === 'error' || level === 'fatal') errors.push(line)
        else if (level === 'warn') warnings.push(line)
        const [, listening] = /^Server listening at (.*)/.exec(message) ?? []
        if (listening) resolve(listening)
      })
      child.on('exit', () => reject(new Error('The service ended before it listened')))
    })
    return new Service(url, child, errors, warnings)
  }

  /**
   * Ends it with a signal; resolves with its exit code, or null if the signal killed it, when all that it
   * has said was read: at its exit that may still be on its way.
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const close = once(this.process, 'close')
    this.process.kill(signal)
    const [code] = await close
    return code
  }
}
