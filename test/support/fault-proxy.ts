import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Scope } from './scope.js'

/**
 * What the proxy does to bytes: passes them; swallows all of them (black hole); delays each way by
 * 25 ms; passes requests but keeps replies until there is another fault or none, or swallows them; or
 * answers with nonsense. `refuse` resets connections.
 */
export type Fault = 'none' | 'blackhole' | 'delay' | 'hold' | 'lose-replies' | 'nonsense' | 'refuse'

const DELAY_MS = 25

/** A TCP proxy in front of a server, which breaks as it is told. */
export class FaultProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #fault: Fault = 'none'
  /** Replies that were swallowed. */
  lost = 0
  /** Bytes of replies so far. */
  replied = 0
  /** What lets go of each reply that is kept. */
  readonly #held: (() => void)[] = []

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** @param url of the server behind it, on this machine */
  static async start(scope: Scope, url: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(url))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    scope.teardown(() => {
      proxy.#server.close()
      proxy.reset()
    })
    return proxy
  }

  /** That of the server, but for the port. */
  get url(): string {
    const url = new URL(this.#target)
    url.port = `${this.port}`
    return url.href
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get fault(): Fault {
    return this.#fault
  }

  set fault(fault: Fault) {
    this.#fault = fault
    for (const letGo of this.#held.splice(0)) letGo()
    if (fault === 'refuse') this.reset()
  }

  /** How many replies are kept. */
  get held(): number {
    return this.#held.length
  }

  /** Resets every connection. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #accept(client: Socket): void {
    if (this.#fault === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const server = connect(Number(this.#target.port), '127.0.0.1')
    this.#pipe(client, server, false)
    this.#pipe(server, client, true)
  }

  #pipe(from: Socket, to: Socket, isReply: boolean): void {
    this.#sockets.add(from)
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
    from.on('data', (bytes) => {
      if (isReply) this.replied += bytes.length
      switch (this.#fault) {
        case 'none':
          to.write(bytes)
          break
        case 'delay':
          setTimeout(() => to.write(bytes), DELAY_MS)
          break
        case 'hold':
          if (isReply) this.#held.push(() => to.write(bytes))
          else to.write(bytes)
          break
        case 'lose-replies':
          if (isReply) this.lost++
          else to.write(bytes)
          break
        case 'nonsense':
          if (isReply) to.write('?nonsense\r\n')
          else to.write(bytes)
          break
      }
    })
  }
}
