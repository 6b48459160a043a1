import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import createError from '@fastify/error'
import type { Logger } from 'pino'
import { liveWorkers, tell } from './live-workers.js'

/** How long a worker has to tell; then what it told last stands for it. */
const ANSWER_TIMEOUT_MS = 1000
const PRIMARY_TIMEOUT_MS = 5000

export const NoFigures = createError(
  'NO_FIGURES',
  'The primary process does not tell the figures',
  503,
)

/** What is told: each kind goes its own way. */
type Kind = 'metrics' | 'figures'

type Message =
  /** Worker to primary: what do all tell? And what they tell. */
  | { ofAll: Kind }
  | { toldByAll: Kind; value: unknown }
  /** Primary to worker: what do you tell? And what that is. */
  | { ofYou: Kind }
  | { toldByOne: Kind; value: unknown }

/**
 * In a worker: tells the primary its own when that asks, and gives a function that asks for what all
 * workers tell together.
 */
export function askAll<Own, All>(kind: Kind, tellOwn: () => Promise<Own>): () => Promise<All> {
  const asking = new Set<(value: All) => void>()
  process.on('message', async (message: Message) => {
    if ('toldByAll' in message && message.toldByAll === kind)
      for (const answer of asking) answer(message.value as All)
    if ('ofYou' in message && message.ofYou === kind)
      tellPrimary({ toldByOne: kind, value: await tellOwn() })
  })

  return () =>
    new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        asking.delete(answer)
        reject(new NoFigures())
      }, PRIMARY_TIMEOUT_MS)
      const answer = (value: All) => {
        clearTimeout(timeout)
        asking.delete(answer)
        resolve(value)
      }
      asking.add(answer)
      tellPrimary({ ofAll: kind })
    })

  function tellPrimary(message: Message): void {
    // Without a callback, a primary that is gone would be an uncaught error.
    process.send?.(message, undefined, undefined, () => {})
  }
}

/** How what workers tell is put together. */
interface Joining<Own, All> {
  /** What of those that are gone stays true. */
  lasting: (gone: Own[]) => Own
  /** What is told of all; `silent` of them did not answer in time. */
  all: (told: Own[], silent: number) => Promise<All>
}

/**
 * In the primary: collects what all workers tell of a kind, and tells it together to the worker that asks. What
 * a worker has counted stays in the sum when it hangs or is dead, as it was last told: who reads a counter that
 * falls takes it for a restart, and would count what is left once more.
 */
export class Telling<Own, All> {
  readonly #kind: Kind
  readonly #joining: Joining<Own, All>
  readonly #last = new Map<Worker, Own>()
  readonly #asked = new Map<Worker, () => void>()
  #gone: Own

  constructor(kind: Kind, joining: Joining<Own, All>, log: Logger) {
    this.#kind = kind
    this.#joining = joining
    this.#gone = joining.lasting([])
    let collecting: Promise<All> | undefined
    cluster.on('message', (worker, message: Message) => {
      // What a dead one has said may come after its end, where it is counted already.
      if (worker.isDead()) return
      if ('toldByOne' in message && message.toldByOne === kind) {
        this.#last.set(worker, message.value as Own)
        this.#answered(worker)
      } else if ('ofAll' in message && message.ofAll === kind) {
        // Those who ask at once share one answer.
        collecting ??= this.#collect().finally(() => {
          collecting = undefined
        })
        collecting.then(
          (value) => tell(worker, { toldByAll: kind, value } satisfies Message),
          (err) => log.error({ err }, `the ${kind} cannot be collected`),
        )
      }
    })
    cluster.on('exit', (worker) => {
      this.#answered(worker)
      const told = this.#last.get(worker)
      if (!told) return
      this.#last.delete(worker)
      this.#gone = joining.lasting([this.#gone, told])
    })
  }

  async #collect(): Promise<All> {
    await Promise.race([
      Promise.all(liveWorkers().map((worker) => this.#ask(worker))),
      sleep(ANSWER_TIMEOUT_MS, undefined, { ref: false }),
    ])
    const silent = this.#asked.size
    this.#asked.clear()
    return this.#joining.all([this.#gone, ...this.#last.values()], silent)
  }

  #ask(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      this.#asked.set(worker, resolve)
      tell(worker, { ofYou: this.#kind } satisfies Message)
    })
  }

  #answered(worker: Worker): void {
    this.#asked.get(worker)?.()
    this.#asked.delete(worker)
  }
}
