import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../../test/support/scope.js'
import { alone } from './cores.js'
import type { Questions, ServerOptions } from './protocol.js'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

type Answer<Q extends keyof Questions> = ReturnType<Questions[Q]>

/** A server under load. */
export interface Target {
  readonly url: string
  /** User and system time so far, in microseconds. */
  cpu(): Promise<number>
}

/** A server in a process of its own, which can be asked what it used. */
export class ServerProcess implements Target {
  readonly url: string
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<never>>()
  #asked = 0

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
    child.on('message', ({ id, answer }: { id: number; answer: never }) => {
      this.#waiting.get(id)?.resolve(answer)
      this.#waiting.delete(id)
    })
    child.once('exit', (code) => {
      const error = new Error(`A server has ended with ${code} before it answered`)
      for (const { reject } of this.#waiting.values()) reject(error)
    })
  }

  /**
   * Resolves when it listens.
   *
   * @param execArgv options of Node for this process
   * @param checkout a built checkout, whose code and Node are used in place of these
   * @param pinned to the core of the servers, if there is one
   */
  static async start(
    scope: Scope,
    options: ServerOptions,
    execArgv: string[] = [],
    checkout?: string,
    pinned = false,
  ): Promise<ServerProcess> {
    const node = checkout ? join(checkout, 'node_modules/.bin/node') : process.execPath
    const [program, ...before] = pinned ? alone([node]) : [node]
    const child = fork(checkout ? join(checkout, 'dist/bench/servers/main.js') : MAIN, {
      serialization: 'advanced',
      execArgv: [...before, ...execArgv],
      execPath: program as string,
      // What it logs is a cost of its own, and nothing to read.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const exit = once(child, 'exit')
    scope.teardown(() => {
      if (child.connected) child.disconnect()
      return exit
    })
    child.send(options)
    const gone = exit.then(([code]) => {
      throw new Error(`A server of kind ${options.kind} ended with ${code} before it listened`)
    })
    const [{ url }] = await Promise.race([once(child, 'message'), gone])
    return new ServerProcess(child, url)
  }

  cpu(): Promise<number> {
    return this.ask('cpu')
  }

  ask<Q extends keyof Questions>(ask: Q, ...args: Parameters<Questions[Q]>): Promise<Answer<Q>> {
    const id = this.#asked++
    const waiting = Promise.withResolvers<never>()
    this.#waiting.set(id, waiting)
    this.#child.send({ id, ask, args })
    return waiting.promise
  }
}
