import type { Socket } from 'node:net'

/** What clients are told of a connection on which nothing happens, in seconds: longer than load balancers wait, so that none sends into the end. */
export const KEEP_ALIVE_SECONDS = 72
/** It is kept a little longer, since it takes a while to hear that. */
const IDLE_MS = 1000 * (KEEP_ALIVE_SECONDS + 1)
/** How often connections are to be looked at, in milliseconds. */
export const LOOK_EVERY_MS = 1000

/** How many bytes had come and gone when a connection was last seen to do something. */
interface Seen {
  bytes: number
  at: number
}

/**
 * Ends connections on which nothing comes or goes. By looking at all of them now and then: the timeouts of
 * Node begin anew with each read, each request, each write and each answer, which costs a cached one a thirtieth.
 */
export class IdleConnections {
  readonly #seen = new WeakMap<Socket, Seen>()

  /** @param now in milliseconds of `performance.now()` */
  look(connections: Iterable<Socket>, now = performance.now()): void {
    for (const socket of connections) {
      const bytes = socket.bytesRead + socket.bytesWritten
      const before = this.#seen.get(socket)
      if (before?.bytes !== bytes) this.#seen.set(socket, { bytes, at: now })
      else if (now - before.at >= IDLE_MS) socket.destroy()
    }
  }
}
