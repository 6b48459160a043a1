import type { Measured } from './load.js'

/** A row of the table: medians over the rounds. */
export interface RowResult extends Measured {
  name: string
  server: string
  /** CPU time as a multiple of the limit's, which was measured right before. */
  cpuRatio?: number | undefined
  /** Requests per second as a share of the limit's. */
  rateRatio?: number | undefined
  limit?: string | undefined
}

/** What costs how much with so many employees. */
export interface GrowthResult {
  employees: number
  /** CPU time for each request, in microseconds. */
  cpu: { [load: string]: number }
  /** Time of a query whose result is cached, in milliseconds. */
  fill: { [view: string]: number }
  /** From the start of the process to its first answer, in milliseconds. */
  startUp: number
}

/** What others notice of long work. */
export interface PauseResult {
  work: string
  employees: number
  /** Milliseconds, of requests for one employee. */
  p50: number
  p99: number
  /** The growth of the process meanwhile, in MiB. */
  grownMiB: number
  times: number
}

export interface TargetResult {
  target: string
  limit: string
  value: string
  met: boolean | null
}

export interface Results {
  date: string
  machine: string
  node: string
  seconds: number
  rounds: number
  employees: number
  rows: RowResult[]
  growth: GrowthResult[]
  pauses: PauseResult[]
  targets: TargetResult[]
}
