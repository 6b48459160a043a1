import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import createError from '@fastify/error'
import type { Logger } from 'pino'
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import { liveWorkers, tell } from './live-workers.js'

/** How long a worker has to tell its families; then those that it told last stand for them. */
const ANSWER_TIMEOUT_MS = 1000
const PRIMARY_TIMEOUT_MS = 5000

const NoMetrics = createError('NO_METRICS', 'The primary process does not tell the metrics', 503)

/** What prom-client's `getMetricsAsJSON` resolves to. */
type Families = { type: string }[]

type Message =
  /** Worker to primary: what are the metrics of all? */
  | { metrics: 'all' }
  /** Primary to worker: what are yours? */
  | { metrics: 'yours' }
  | { families: Families }
  | { exposition: string }

/**
 * In a worker: tells its families to the primary when that asks, and gives a function that asks for
 * the metrics of all workers together, in Prometheus's format.
 */
export function metricsOfAll(register: Registry): () => Promise<string> {
  const asking = new Set<(exposition: string) => void>()
  process.on('message', async (message: Message) => {
    if ('exposition' in message) for (const answer of asking) answer(message.exposition)
    if (!('metrics' in message)) return
    tellPrimary({ families: (await register.getMetricsAsJSON()) as unknown as Families })
  })

  return () =>
    new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        asking.delete(answer)
        reject(new NoMetrics())
      }, PRIMARY_TIMEOUT_MS)
      const answer = (exposition: string) => {
        clearTimeout(timeout)
        asking.delete(answer)
        resolve(exposition)
      }
      asking.add(answer)
      tellPrimary({ metrics: 'all' })
    })

  function tellPrimary(message: Message): void {
    // Without a callback, a primary that is gone would be an uncaught error.
    process.send?.(message, undefined, undefined, () => {})
  }
}

/**
 * In the primary: collects the families of all workers, and tells them together to the worker that
 * asks. What a worker has counted stays in the sum when it hangs or is dead, as it was last told:
 * Prometheus takes a counter that falls for a restart, and would count what is left once more.
 */
export class PrimaryMetrics {
  readonly #register = new Registry()
  readonly #deaths: Counter
  readonly #last = new Map<Worker, Families>()
  readonly #asked = new Map<Worker, () => void>()
  #departed: Families = []
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

    let collecting: Promise<string> | undefined
    cluster.on('message', (worker, message: Message) => {
      // What a dead one has said may come after its end, where it is counted already.
      if (worker.isDead()) return
      if ('families' in message) {
        this.#last.set(worker, message.families)
        this.#answered(worker)
      } else if ('metrics' in message) {
        // Those who ask at once share one answer.
        collecting ??= this.#collect().finally(() => {
          collecting = undefined
        })
        collecting.then(
          (exposition) => tell(worker, { exposition } satisfies Message),
          (err) => log.error({ err }, 'the metrics cannot be collected'),
        )
      }
    })
    cluster.on('exit', (worker) => {
      this.#answered(worker)
      const families = this.#last.get(worker)
      if (!families) return
      this.#last.delete(worker)
      this.#departed = together(this.#departed, families).filter(isLasting)
    })

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

  async #collect(): Promise<string> {
    await Promise.race([
      Promise.all(liveWorkers().map((worker) => this.#ask(worker))),
      sleep(ANSWER_TIMEOUT_MS, undefined, { ref: false }),
    ])
    this.#silent = this.#asked.size
    this.#asked.clear()
    const own = (await this.#register.getMetricsAsJSON()) as unknown as Families
    return AggregatorRegistry.aggregate([own, this.#departed, ...this.#last.values()]).metrics()
  }

  #ask(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      this.#asked.set(worker, resolve)
      tell(worker, { metrics: 'yours' } satisfies Message)
    })
  }

  #answered(worker: Worker): void {
    this.#asked.get(worker)?.()
    this.#asked.delete(worker)
  }
}

function together(...families: Families[]): Families {
  return AggregatorRegistry.aggregate(families).getMetricsAsArray() as unknown as Families
}

/** A gauge tells of a moment, which is over; what was counted stays true. */
function isLasting({ type }: { type: string }): boolean {
  return type !== 'gauge'
}
