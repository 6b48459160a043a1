import { connect, type Socket } from 'node:net'
import { takeAnswers } from '../support/answers.js'
import type { Scope } from '../support/scope.js'

/** A connection on which a request may be sent while those before it are not answered yet. */
export class PipelinedConnection {
  readonly #socket: Socket
  readonly #waiting: { resolve: (body: string) => void; reject: (error: Error) => void }[] = []
  #received = ''

  constructor(scope: Scope, url: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1')
    scope.teardown(() => this.#socket.destroy())
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error('The connection is closed'))
    })
    this.#socket.on('data', (text: string) => {
      const { bodies, rest } = takeAnswers(this.#received + text)
      this.#received = rest
      for (const body of bodies) this.#waiting.shift()?.resolve(body)
    })
  }

  /** The body of the answer. */
  get(path: string): Promise<string> {
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}
