import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { freePort } from './free-port.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

/** The Redis server program on this machine, or undefined. */
export const redisProgram = ['redis-server', 'valkey-server'].find(
  (program) => spawnSync(program, ['--version']).status === 0,
)

/** The URL of a Redis for this test: that of REDIS_URL, else one of its own. */
export async function redisUrl(scope: Scope): Promise<string> {
  return process.env.REDIS_URL || (await RedisServer.start(scope)).url
}

/** A client that is closed with the test. */
export function redisClient(scope: Scope, url: string): Redis {
  const client = new Redis(url, { lazyConnect: true })
  client.on('error', () => {})
  scope.teardown(() => client.disconnect())
  return client
}

/** A Redis server of the test's own, on a free port, that it may kill and start again. */
export class RedisServer {
  readonly url: string
  readonly #arguments: string[]
  #process: ChildProcess | undefined

  private constructor(port: number, directory: string, options: string[]) {
    this.url = `redis://127.0.0.1:${port}`
    const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no' }
    this.#arguments = [
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]),
      ...options,
    ]
  }

  /** @param options of the server's command line */
  static async start(scope: Scope, ...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await temporaryDirectory(scope), options)
    scope.teardown(() => server.stop())
    await server.start()
    return server
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const child = spawn(redisProgram as string, this.#arguments, {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process = child
    let output = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      output += chunk
      if (output.includes('eady to accept connections')) {
        child.stdout.resume()
        return
      }
    }
    throw new Error(`The Redis server did not start:\n${output}`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Kills it, paused or not; resolves when it is gone. */
  async stop(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
