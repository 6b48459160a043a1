import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SERVER = fileURLToPath(new URL('../../src/server.js', import.meta.url))

/** What ends a helper's resources: a tap test, or a run of the torture command. */
export interface Scope {
  teardown(cleanup: () => unknown): void
}

/** The service as a process of its own, on a free port. */
export class Service {
  readonly url: string
  readonly process: ChildProcess

  private constructor(url: string, process: ChildProcess) {
    this.url = url
    this.process = process
  }

  /** Resolves when it listens. */
  static async start(scope: Scope, env: NodeJS.ProcessEnv): Promise<Service> {
    const child = spawn(process.execPath, [SERVER], {
      env: { PATH: process.env.PATH, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    scope.teardown(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })
    for await (const line of lines) {
      const [url] = /http:\/\/[\d.:]+/.exec(JSON.parse(line).msg) ?? []
      if (!url) continue
      child.stdout.resume()
      return new Service(url, child)
    }
    throw new Error('The service ended before it listened')
  }

  /** Ends it with a signal; resolves with its exit code, or null if the signal killed it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const exit = once(this.process, 'exit')
    this.process.kill(signal)
    const [code] = await exit
    return code
  }
}
