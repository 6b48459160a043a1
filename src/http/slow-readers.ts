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
  readonly #bodies = new WeakMap<Socket, object>()

  constructor(limits: Partial<typeof LIMITS> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  watch(socket: Socket): void {
    this.#connections.set(socket, undefined)
    socket.once('close', () => this.#connections.delete(socket))
  }

  /** Takes note of a body that is kept anyway, however many have not read it. */
  sends(socket: Socket, body: object): void {
    this.#bodies.set(socket, body)
  }

  /**
   * Looks at every connection, and returns how many it has ended.
   *
   * @param now in milliseconds of `performance.now()`
   */
  look(now = performance.now()): number {
    const waiting: Waiting[] = []
    const slow: Socket[] = []
    for (const [socket, before] of this.#connections) {
      const bytes = unsent(socket)
      const sent = socket.bytesWritten - bytes
      const took = before ? now - before.since : 0
      if (bytes === 0) {
        if (before) this.#connections.set(socket, undefined)
      } else if (before && took < this.#limits.windowMs) {
        waiting.push({ socket, since: before.since, bytes })
      } else if (before && (1000 * (sent - before.sent)) / took < this.#limits.lowestRate) {
        slow.push(socket)
      } else {
        this.#connections.set(socket, { since: now, sent })
        waiting.push({ socket, since: now, bytes })
      }
    }
    const ended = [...slow, ...this.#tooMuch(waiting)]
    for (const socket of ended) socket.destroy()
    return ended.length
  }

  /** Those that were waited for longest, without whom no more waits in all than may. */
  #tooMuch(waiting: Waiting[]): Socket[] {
    const bodies = new Set<object>()
    let all = 0
    return waiting
      .sort((one, other) => other.since - one.since)
      .filter(({ socket, bytes }) => {
        const body = this.#bodies.get(socket)
        if (!body || !bodies.has(body)) all += bytes
        if (body) bodies.add(body)
        return all > this.#limits.waiting
      })
      .map(({ socket }) => socket)
  }
}

/** Bytes that the kernel would not take yet, as Node's own timeout looks at them (net.Socket#_onTimeout). */
function unsent(socket: Socket): number {
  const { _handle } = socket as Socket & { _handle?: { writeQueueSize?: number } | null }
  return _handle?.writeQueueSize ?? 0
}
