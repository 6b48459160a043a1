import { setTimeout as delay } from 'node:timers/promises'

/**
 * Does something every now and then, until the function that it returns is called; it keeps no process
 * alive. What fails is left to the next time: the moment forbids it, or the store closes.
 */
export function repeat(everyMs: number, work: (signal: AbortSignal) => Promise<void>): () => void {
  const stopped = new AbortController()
  const { signal } = stopped

  async function run() {
    for (;;) {
      await delay(everyMs, undefined, { ref: false, signal })
      await work(signal).catch(() => {})
    }
  }

  run().catch(() => {})
  return () => stopped.abort()
}
