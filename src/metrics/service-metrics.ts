import { Gauge, type Metric, type Registry } from 'prom-client'
import { type ServerStats, watchDatabaseServer } from './database-server.js'
import { counter, type Histogram, histogram } from './families.js'
import type { Figures, Fill } from './figures.js'

/** From a near copy's microseconds to what a client waits for; in seconds. */
export const DURATIONS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  2.5, 5, 10,
]
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What became of one transaction of writes. */
interface Commit {
  writes: number
  seconds: number
  /** Nothing of it was kept. */
  failed: boolean
}

/** How the store is doing. */
interface StoreStats {
  writesWaiting: number
  readers: { open: number; idle: number; limit: number }
  /** Of a database that is a server. */
  server?: ServerStats | undefined
}

/** When each view last got a new version, as Unix time in seconds. */
type Ages = () => Promise<{ view: string; changedAt: number }[]>

const ANSWERS = 'employees_view_answers_total'

export type ServiceMetrics = ReturnType<typeof serviceMetrics>

/** What the parts of the service tell; each call costs some ten nanoseconds. */
export function serviceMetrics(register: Registry) {
  const answers = counter(register, {
    name: ANSWERS,
    help:
      'Answers of cached views by source: near (a copy in this process), parts (an older copy, and what ' +
      'has changed since), redis, collapsed (shared the fill of another request), stored (filled, and ' +
      'stored), passed (filled, and not stored), not_modified (304)',
    labels: ['view', 'source'],
  })
  const info = new Gauge({
    name: 'employees_view_info',
    help: 'The path of the route that shows a view: always 1, by view and path',
    labelNames: ['view', 'path'],
    registers: [register],
    aggregator: 'max',
  })
  const fills = histogram(register, {
    name: 'employees_view_fill_seconds',
    help: 'Time that the query took whose result is cached, in seconds, by view',
    labels: ['view'],
    buckets: DURATIONS,
  })
  const updates = histogram(register, {
    name: 'employees_view_parts_seconds',
    help: 'Time that reading and joining the parts of a view took that have changed, in seconds, by view',
    labels: ['view'],
    buckets: DURATIONS,
  })
  const filled = new Gauge({
    name: 'employees_view_filled_timestamp_seconds',
    help: 'When a view was last filled: Unix time in seconds, by view; of several workers the last',
    labelNames: ['view'],
    registers: [register],
    aggregator: 'max',
  })
  const batches = histogram(register, {
    name: 'employees_commit_writes',
    help: 'Writes that shared one transaction',
    buckets: BATCHES,
  })
  const commits = histogram(register, {
    name: 'employees_commit_duration_seconds',
    help: 'Time of a transaction of writes from BEGIN to the end of COMMIT, in seconds',
    buckets: DURATIONS,
  })
  const failures = counter(register, {
    name: 'employees_commit_failures_total',
    help: 'Transactions of writes of which nothing was kept',
  })

  const lastFills = new Map<string, Fill>()
  let probes: Histogram | undefined

  return {
    /** Tells where a view is shown. */
    viewShown(view: string, path: string): void {
      info.set({ view, path }, 1)
    },

    /** Tells of an answer of a cached view, whatever its status. */
    viewAnswered(view: string, source: string): void {
      answers(view, source).total++
    },

    /** Tells of a read of a view for the cache. */
    viewFilled(view: string, what: 'whole' | 'parts', seconds: number): void {
      const reads = what === 'whole' ? fills : updates
      reads(view).observe(seconds)
      const at = Date.now() / 1000
      filled.set({ view }, at)
      lastFills.set(view, { what, at, seconds })
    },

    /** What was told of each view so far, by its name: read from the counters that Prometheus reads. */
    async figures(): Promise<Figures['views']> {
      const views: Figures['views'] = {}
      const counted = register.getSingleMetric(ANSWERS) as Metric<'view' | 'source'>
      const { values } = await counted.get()
      for (const { labels, value } of values) {
        const { view, source } = labels as { view: string; source: string }
        viewOf(view).answers[source] = value
      }
      for (const [view, fill] of lastFills) viewOf(view).fill = fill
      return views

      function viewOf(name: string) {
        const view = views[name] ?? { answers: {} }
        views[name] = view
        return view
      }
    },

    /** Shows, when Prometheus asks, how many bytes of each view are kept in this process. */
    watchViews(kept: () => Iterable<[view: string, bytes: number]>): void {
      new Gauge({
        name: 'employees_view_kept_bytes',
        help: 'The copy of a view that is kept in a process, with its compressed forms, in bytes, by view; of all workers',
        labelNames: ['view'],
        registers: [register],
        collect() {
          this.reset()
          for (const [view, bytes] of kept()) this.set({ view }, bytes)
        },
      })
    },

    committed({ writes, seconds, failed }: Commit): void {
      if (failed) {
        failures().total++
        return
      }
      batches().observe(writes)
      commits().observe(seconds)
    },

    /** Tells of a query for the versions of views, where that is a round trip. */
    probed(seconds: number): void {
      probes?.observe(seconds)
    },

    /** Shows how the store is doing when Prometheus asks. */
    watchStore(stats: () => StoreStats, ages: Ages): void {
      watchStore(register, stats, ages)
      if (!stats().server) return
      probes = watchDatabaseServer(register, DURATIONS, () => stats().server as ServerStats)
    },
  }
}

function watchStore(register: Registry, stats: () => StoreStats, ages: Ages): void {
  const registers = [register]
  new Gauge({
    name: 'employees_view_changed_timestamp_seconds',
    help: 'When a view last got a new version: Unix time in seconds, by view',
    labelNames: ['view'],
    registers,
    aggregator: 'max',
    async collect() {
      // Metrics must not fall silent with the database.
      const known = await ages().catch(() => [])
      for (const { view, changedAt } of known) this.set({ view }, changedAt)
    },
  })
  new Gauge({
    name: 'employees_writes_waiting',
    help: 'Rows that wait to be written, by a transaction of their own or a shared one',
    registers,
    collect() {
      this.set(stats().writesWaiting)
    },
  })
  new Gauge({
    name: 'employees_reader_connections',
    help: 'Database connections for long answers: open are in use, idle are kept for the next one',
    labelNames: ['state'],
    registers,
    collect() {
      const { open, idle } = stats().readers
      this.set({ state: 'open' }, open)
      this.set({ state: 'idle' }, idle)
    },
  })
  new Gauge({
    name: 'employees_reader_connections_limit',
    help: 'Database connections for long answers that may be in use; one more is a 503',
    registers,
    collect() {
      this.set(stats().readers.limit)
    },
  })
}
