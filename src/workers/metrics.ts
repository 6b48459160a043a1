import type { Logger } from 'pino'
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import { askAll, Telling } from './telling.js'

/** What prom-client's `getMetricsAsJSON` resolves to. */
type Families = { type: string }[]

/** In a worker: a function that asks for the metrics of all workers together, in Prometheus's format. */
export function metricsOfAll(register: Registry): () => Promise<string> {
  return askAll<Families, string>('metrics', () => familiesOf(register))
}

/** In the primary: adds what it alone knows to the metrics of all workers. */
export class PrimaryMetrics {
  readonly #register = new Registry()
  readonly #deaths: Counter
  #silent = 0

  /** @param serving how many workers serve now */
  constructor(serving: () => number, log: Logger) {
    const registers = [this.#register]
    gauge('employees_workers', 'Worker processes that serve', serving)
    gauge(
      'employees_workers_silent',
      'Worker processes that did not tell their families in time; those that they told last are shown',
      () => this.#silent,
    )
    this.#deaths = new Counter({
      name: 'employees_worker_deaths_total',
      help: 'Worker processes that died, or ended though nobody told them to',
      registers,
    })
    new Telling<Families, string>('metrics', { lasting, all: this.#together.bind(this) }, log)

    function gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    }
  }

  workerDied(): void {
    this.#deaths.inc()
  }

  async #together(told: Families[], silent: number): Promise<string> {
    this.#silent = silent
    const own = await familiesOf(this.#register)
    return AggregatorRegistry.aggregate([own, ...told]).metrics()
  }
}

async function familiesOf(register: Registry): Promise<Families> {
  return (await register.getMetricsAsJSON()) as unknown as Families
}

/** A gauge tells of a moment, which is over; what was counted stays true. */
function lasting(gone: Families[]): Families {
  const families = AggregatorRegistry.aggregate(gone).getMetricsAsArray() as unknown as Families
  return families.filter(({ type }) => type !== 'gauge')
}
