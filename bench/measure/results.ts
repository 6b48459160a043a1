import type { Measured } from './load.js'

/** A row of the table: medians over the rounds. */
export interface RowResult extends Measured {
  name: string
  server: string
  /** CPU time as a multiple of the limit's, which was measured right before. */
  cpuRatio?: number | undefined
  /** Requests per second as a share of the limit's. */
  rateRatio?: number | undefined
  /** The server and the name of its limit. */
  limit?: string | undefined
}

/** What costs how much with so many employees. */
export interface GrowthResult {
  /** The checkout whose service it is. */
  release: string
  employees: number
  /** CPU time for each request, in microseconds. */
  cpu: { [load: string]: number }
  /** Time of a query whose result is cached, in milliseconds. */
  fill: { [view: string]: number }
  /** Time of the ranking's query as a window over the table, in milliseconds. */
  window?: number | undefined
  /** Time until a client has the ranking, which is in no cache, in milliseconds, */
  miss?: number | undefined
  /** and how much longer the window alone takes, measured right before. */
  windowRatio?: number | undefined
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

/** What a client had from a service. */
export interface Answered {
  count: number
  /** Milliseconds to the first byte. */
  p50: number
  p99: number
  max: number
  /** How many answers said that they were from there. */
  sources: { [source: string]: number }
}

/** What the clients of a service had while employees changed, or did not. */
export interface ChangingResult {
  database: string
  release: string
  phase: string
  clients: { [client: string]: Answered }
  /** Of the service's process: of a core, */
  cpu: number
  /** and the most memory that it had. */
  rssMiB: number
}

/** What an update of one employee costs in the database alone, in microseconds of CPU time. */
export interface WriteResult {
  database: string
  release: string
  write: string
  us: number
  /** Without triggers. */
  bareUs: number
}

export interface ChangingResults {
  changing: ChangingResult[]
  writes: WriteResult[]
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
  /** Which cores were whose. */
  cores: string
  seconds: number
  rounds: number
  /** How often in a round. */
  pairs: number
  employees: number
  rows: RowResult[]
  growth: GrowthResult[]
  pauses: PauseResult[]
  targets: TargetResult[]
}
