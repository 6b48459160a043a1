import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { Redis } from 'ioredis'
import type { CertificateFiles } from './certificates.js'
import { freePort } from './free-port.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

/** The Redis server program on this machine, or undefined. */
export const redisProgram = ['redis-server', 'valkey-server'].find(
  (program) => spawnSync(program, ['--version']).status === 0,
)

const SENTINEL_FILE = 'sentinel.conf'
/** What a server says, and a Sentinel, once it listens. */
const STARTED = /eady to accept connections|Sentinel ID is/

/** The URL of a Redis for this test: that of REDIS_URL, else one of its own. */
export async function redisUrl(scope: Scope): Promise<string> {
  return process.env.REDIS_URL || (await RedisServer.start(scope)).url
}

/** A client that is closed with the test. */
export function redisClient(scope: Scope, url: string, tls?: ConnectionOptions): Redis {
  const client = new Redis(url, { lazyConnect: true, ...(tls && { tls }) })
  client.on('error', () => {})
  scope.teardown(() => client.disconnect())
  return client
}

/** What a server is started with, beside what each has. */
export interface ServerOptions {
  /** For the server's command line. */
  options?: string[]
  /** It listens with TLS alone, shows this certificate, and wants one of the same authority. */
  tls?: CertificateFiles | undefined
  /** What stands in the configuration of a Sentinel, which writes to that file. */
  sentinel?: string
}

/** A Redis server of the test's own, on a free port, that it may kill and start again. */
export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #arguments: string[]
  #process: ChildProcess | undefined

  private constructor(port: number, directory: string, { options, tls, sentinel }: ServerOptions) {
    this.port = port
    this.url = `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`
    const settings = {
      bind: '127.0.0.1',
      dir: directory,
      ...(tls ? { port: 0, 'tls-port': port, ...tlsSettings(tls) } : { port }),
      ...(sentinel === undefined && { save: '', appendonly: 'no' }),
    }
    this.#arguments = [
      ...(sentinel === undefined ? [] : [join(directory, SENTINEL_FILE), '--sentinel']),
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]),
      ...(options ?? []),
    ]
  }

  /** @param options of the server's command line */
  static start(scope: Scope, ...options: string[]): Promise<RedisServer> {
    return RedisServer.startWith(scope, { options })
  }

  static async startWith(scope: Scope, options: ServerOptions): Promise<RedisServer> {
    const directory = await temporaryDirectory(scope)
    if (options.sentinel !== undefined) {
      await writeFile(join(directory, SENTINEL_FILE), options.sentinel)
    }
    const server = new RedisServer(await freePort(), directory, options)
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
      if (STARTED.test(output)) {
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

function tlsSettings({ ca, cert, key }: CertificateFiles) {
  return {
    'tls-ca-cert-file': ca,
    'tls-cert-file': cert,
    'tls-key-file': key,
    'tls-replication': 'yes',
    'tls-cluster': 'yes',
  }
}
