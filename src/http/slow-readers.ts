import type { Socket } from 'node:net'

export const LIMITS = {
  /** What a client must take of an answer that waits for it, in bytes a second, ... */
  lowestRate: 16 * 1024,
  /** ... on an average over so many milliseconds. */
  windowMs: 30_000,
  /** What may wait in this process in all, in bytes; a body that many are sent counts once. */
  waiting: 256 * 1024 * 1024,
  /** How often connections are looked at. */
  everyMs: 1000,
}

interface Reading {
  since: number
  sent: number
}

/** What waits on a connection. */
interface Waiting {
  socket: Socket
  since: number
  bytes: number
}

/**
 * Ends connections whose clients read too slowly, or not at all: what waits for them is memory, and
 * perhaps a snapshot. Node's own timeout is begun anew by each byte that a client takes.
 */
export class SlowReaders {
  readonly #limits: typeof LIMITS
  readonly #connections = new Map<Socket, Reading | undefined>()
  /** The body that each was sent last, if others may be sent it, too. */
  readonly #bodies = new WeakMap<Socket, Buffer>()

  constructor(limits: Partial<typeof LIMITS> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  watch(socket: Socket): void {
    this.#connections.set(socket, undefined)
    socket.once('close', () => this.#connections.delete(socket))
  }

  /** Takes note of a body that is kept anyway, however many have not read it. */
  sends(socket: Socket, body: Buffer): void {
    this.#bodies.set(socket, body)
  }

  /**
   * Looks at every connection, and returns how many it has ended.
   *
   * @param now in milliseconds of `performance.now()`
   */
  look(now = performance.now()): number {
    const slow = this.#endSlowest(now)
    return slow + this.#endOldest()
  }

  /** While too much waits in all, whoever was waited for longest is ended. */
  #endOldest(): number {
    const waiting: Waiting[] = []
    const bodies = new Map<Buffer, number>()
    let all = 0
    for (const [socket, reading] of this.#connections) {
      const bytes = unsent(socket)
      if (!reading || bytes === 0) continue
      waiting.push({ socket, since: reading.since, bytes })
      const body = this.#bodies.get(socket)
      const users = body && bodies.get(body)
      if (body) bodies.set(body, (users ?? 0) + 1)
      if (users === undefined) all += bytes
    }
    if (all <= this.#limits.waiting) return 0
    let ended = 0
    for (const { socket, bytes } of waiting.sort((one, other) => one.since - other.since)) {
      if (all <= this.#limits.waiting) break
      const body = this.#bodies.get(socket)
      const users = body && bodies.get(body)
      if (body && users) bodies.set(body, users - 1)
      if (users === undefined || users === 1) all -= bytes
      socket.destroy()
      ended++
    }
    return ended
  }

  #endSlowest(now: number): number {
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
