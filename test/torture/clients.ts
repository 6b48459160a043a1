import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scope } from '../support/scope.js'

/** Of everybody's /livez in an attack, and of any other answer. */
export const LIMITS = { livezP99Ms: 250, readP99Ms: 2000 }

/** Strangers' connections to a service, all ended with the scope. */
export class Strangers {
  readonly #port: number
  readonly #sockets = new Set<Socket>()

  constructor(scope: Scope, url: string) {
    this.#port = Number(new URL(url).port)
    scope.teardown(() => this.leave())
  }

  /** A connection from an address of Linux's 127.0.0.0/8, which sends this and reads nothing. */
  open(localAddress: string, text: string | Buffer = ''): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {}).pause()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (text.length > 0) socket.write(text)
    return socket
  }

  /** So many connections, and another one for each that is ended. */
  keep(signal: AbortSignal, count: number, open: () => Socket): void {
    const again = async () => {
      while (!signal.aborted) {
        const socket = open()
        // Not by once(): that rejects when a connection ends by an error.
        await new Promise((resolve) => socket.once('close', resolve))
        await delay(100)
      }
    }
    for (let i = 0; i < count; i++) again()
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** Asks again and again, like anybody: on one connection, with a pause. Times in milliseconds. */
export async function ask(signal: AbortSignal, url: string, pauseMs: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times = createHistogram({ figures: 3 })
  let failed = 0
  while (!signal.aborted) {
    const start = performance.now()
    const status = await new Promise<number>((resolve) => {
      get(url, { agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      }).on('error', () => resolve(0))
    })
    times.record(Math.max(1, Math.round((performance.now() - start) * 1000)))
    if (status !== 200) failed++
    await delay(pauseMs)
  }
  agent.destroy()
  const ms = (quantile: number) => times.percentile(quantile) / 1000
  return {
    url: new URL(url).pathname,
    asked: times.count,
    failed,
    p50: ms(50),
    p99: ms(99),
    max: ms(100),
  }
}

/** What of a process is in memory, in bytes; 0: it has died, or this is not Linux. */
export function residentBytes(pid: number | undefined): number {
  try {
    const [, kB] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kB) * 1024
  } catch {
    return 0
  }
}
