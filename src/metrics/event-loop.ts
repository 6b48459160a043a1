import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const RESOLUTION_MS = 10
const QUANTILES = [0.5, 0.99, 1]

/**
 * How late the event loop is, and how busy. In place of prom-client's `nodejs_eventloop_lag_*`, which
 * count the interval of their own timer as lag: an idle process shows 10 ms.
 *
 * @returns a function that ends the measurement
 */
export function watchEventLoop(register: Registry): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  new Gauge({
    name: 'nodejs_event_loop_delay_seconds',
    help: 'How late timers ran since the last scrape, in seconds, by quantile; 1 is the longest delay. Of several workers the worst',
    labelNames: ['quantile'],
    registers: [register],
    aggregator: 'max',
    collect() {
      for (const quantile of QUANTILES) {
        const ms = delays.percentile(100 * quantile) / 1e6 - RESOLUTION_MS
        this.set({ quantile }, Math.max(0, ms / 1000))
      }
      delays.reset()
    },
  })
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  new Counter({
    name: 'nodejs_event_loop_busy_seconds_total',
    help: 'Time that the event loop was not idle, in seconds; its rate is the share of a core, of several workers their sum',
    registers: [register],
    collect() {
      const now = performance.eventLoopUtilization()
      this.inc((now.active - last.active) / 1000)
      last = now
    },
  })
  return () => delays.disable()
}

/** What the default metrics must not show beside these. */
export const MISLEADING = /^nodejs_eventloop_lag/
