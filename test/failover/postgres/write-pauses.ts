import type { FailoverLoad } from './failover-load.js'

/** How long a process does no writes before it is said. */
const PAUSE_MS = 1000
const LOOK_MS = 20

/**
 * Says when a process of a load does no writes any more, and when it does again, after how long: what an
 * outage is for its clients. Returns what ends that.
 */
export function tellWritePauses(load: FailoverLoad, say: (line: string) => void): () => void {
  const now = performance.now()
  const lasts = load.tallies.map(({ writes }) => ({ writes, at: now, isPaused: false }))
  const timer = setInterval(look, LOOK_MS)
  return () => clearInterval(timer)

  function look(): void {
    const now = performance.now()
    load.tallies.forEach(({ writes }, i) => {
      const last = lasts[i] as (typeof lasts)[number]
      const ms = now - last.at
      if (writes > last.writes) {
        if (last.isPaused) {
          say(`Process ${i + 1} writes again, after ${(ms / 1000).toFixed(1)} s`)
        }
        lasts[i] = { writes, at: now, isPaused: false }
      } else if (!last.isPaused && ms > PAUSE_MS) {
        last.isPaused = true
        say(`Process ${i + 1} does no writes`)
      }
    })
  }
}
