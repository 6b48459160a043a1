import { Counter, Gauge, type Registry } from 'prom-client'
import { type Histogram, histogram } from './families.js'

/** How it goes with the server of a database. */
export interface ServerStats {
  /** `host:port` of the one that takes writes. */
  host: string | undefined
  /** Since when it is proven to be that, in seconds; none where nothing is asked for. */
  proofAge: number | undefined
  losses: number
  probes: number
  probed: number
  retries: number
}

/**
 * Shows how it goes with the server of a database when Prometheus asks.
 *
 * @returns what to tell how long a query for the versions of views took
 */
export function watchDatabaseServer(
  register: Registry,
  buckets: number[],
  stats: () => ServerStats,
): Histogram {
  const registers = [register]
  new Gauge({
    name: 'employees_database_primary',
    help: 'The server that takes writes: always 1, by host; none while there is none',
    labelNames: ['host'],
    registers,
    aggregator: 'max',
    collect() {
      this.reset()
      const { host } = stats()
      if (host !== undefined) this.set({ host }, 1)
    },
  })
  new Gauge({
    name: 'employees_database_proof_age_seconds',
    help:
      'Since when the primary is proven to be that, in seconds: past DATABASE_LEASE_MS nothing is ' +
      'answered; of several workers the oldest. None where one host is named',
    registers,
    aggregator: 'max',
    collect() {
      const { proofAge } = stats()
      if (proofAge === undefined) this.remove()
      else this.set(proofAge)
    },
  })
  counter('employees_database_losses_total', 'How often the primary was lost', 'losses')
  counter('employees_database_probes_total', 'Queries for the versions of views', 'probes')
  counter(
    'employees_database_probed_total',
    'Answers of views that were judged by such a query: several share one',
    'probed',
  )

  counter(
    'employees_database_retries_total',
    'Transactions of writes that were run again, since one of their writes failed or ids were taken',
    'retries',
  )
  return histogram(register, {
    name: 'employees_database_probe_duration_seconds',
    help: 'Time of a query for the versions of views that was answered, in seconds',
    buckets,
  })()

  function counter(
    name: string,
    help: string,
    field: 'losses' | 'probes' | 'probed' | 'retries',
  ): void {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(stats()[field])
      },
    })
  }
}
