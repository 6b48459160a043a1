import type { Socket } from 'node:net'

export const LIMITS = {
  /** What a client must take of an answer that waits for it, in bytes a second, ... */
  lowestRate: 16 * 1024,
  /** ... on an average over so many milliseconds. */
  windowMs: 30_000,
  /** How often connections are looked at. */
  everyMs: 5000,
}

interface Reading {
  since: number
  sent: number
}

/**
 * Ends connections whose clients read too slowly, or not at all: what waits for them is memory, and
 * perhaps a snapshot. Node's own timeout is begun anew by each byte that a client takes.
 */
export class SlowReaders {
  readonly #limits: typeof LIMITS
  readonly #connections = new Map<Socket, Reading | undefined>()

  constructor(limits: Partial<typeof LIMITS> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  watch(socket: Socket): void {
    this.#connections.set(socket, undefined)
    socket.once('close', () => this.#connections.delete(socket))
  }

  /**
   * Looks at every connection, and returns how many it has ended.
   *
   * @param now in milliseconds of `performance.now()`
   */
  look(now = performance.now()): number {
    let ended = 0
    for (const [socket, reading] of this.#connections) {
      const waiting = unsent(socket)
      if (waiting === 0) {
        if (reading) this.#connections.set(socket, undefined)
        continue
      }
      const sent = socket.bytesWritten - waiting
      if (!reading) {
        this.#connections.set(socket, { since: now, sent })
      } else if (now - reading.since >= this.#limits.windowMs) {
        const rate = (1000 * (sent - reading.sent)) / (now - reading.since)
        if (rate < this.#limits.lowestRate) {
          ended++
          socket.destroy()
        } else {
          this.#connections.set(socket, { since: now, sent })
        }
      }
    }
    return ended
  }
}

/** Bytes that the kernel would not take yet, as Node's own timeout looks at them (net.Socket#_onTimeout). */
function unsent(socket: Socket): number {
  const { _handle } = socket as Socket & { _handle?: { writeQueueSize?: number } | null }
  return _handle?.writeQueueSize ?? 0
}
