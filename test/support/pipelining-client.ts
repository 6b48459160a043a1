import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { takeAnswers } from './answers.js'
import type { Scope } from './scope.js'

interface Order {
  socket: number
  bytes: string
}

interface Reply {
  socket: number
  text: string
}

/**
 * Sockets in a thread of their own. The server's thread can stand still and still have bytes sent, so a
 * test decides what the kernel holds when the server looks for the next time, and what arrives while
 * it is busy.
 */
export class PipeliningClient {
  readonly #worker: Worker
  readonly #flushed: Int32Array
  readonly #received: string[] = []

  private constructor(worker: Worker, flushed: Int32Array) {
    this.#worker = worker
    this.#flushed = flushed
    worker.on('message', ({ socket, text }: Reply) => {
      this.#received[socket] = (this.#received[socket] ?? '') + text
    })
  }

  /** Resolves when so many sockets are connected. */
  static async connect(scope: Scope, url: string, sockets: number): Promise<PipeliningClient> {
    const flushed = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { port: Number(new URL(url).port), sockets, flushed },
    })
    scope.teardown(() => worker.terminate())
    await once(worker, 'message')
    return new PipeliningClient(worker, flushed)
  }

  /** Sends bytes, and stands still until the kernel has them. */
  send(socket: number, bytes: string): void {
    const before = Atomics.load(this.#flushed, 0)
    this.#worker.postMessage({ socket, bytes } satisfies Order)
    Atomics.wait(this.#flushed, 0, before)
  }

  /** The bodies of the answers on a socket so far, JSON parsed. */
  answers(socket: number): unknown[] {
    return takeAnswers(this.#received[socket] ?? '').bodies.map((body) => JSON.parse(body))
  }
}

if (parentPort) await serve(parentPort)

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const { port: serverPort, sockets: count, flushed } = workerData
  const sockets: Socket[] = []
  for (let socket = 0; socket < count; socket++) {
    const connection = connect(serverPort, '127.0.0.1').setNoDelay(true)
    await once(connection, 'connect')
    connection
      .setEncoding('latin1')
      .on('data', (text: string) => port.postMessage({ socket, text }))
    sockets.push(connection)
  }
  port.on('message', ({ socket, bytes }: Order) => {
    sockets[socket]?.write(bytes, () => {
      Atomics.add(flushed, 0, 1)
      Atomics.notify(flushed, 0)
    })
  })
  port.postMessage({ socket: -1, text: 'connected' })
}
