import { AsyncLocalStorage } from 'node:async_hooks'

/** What a request waits for: the version of a view, its copy here, Redis, a fill, or else the database. */
export type Phase = 'probe' | 'l1' | 'redis' | 'fill' | 'db'

/** Ends what has begun; with its error if it failed. */
export type End = (error?: unknown) => void

/** Is told of each phase as it begins. */
export type Observe = (phase: Phase, operation: string) => End

const current = new AsyncLocalStorage<Journey>()

/** The way of a request through the service. */
export class Journey {
  readonly #milliseconds = new Map<Phase, number>()
  readonly #observe: Observe | undefined

  constructor(observe: Observe | undefined) {
    this.#observe = observe
  }

  /** What is done for this request, and whatever that begins later. */
  run(work: () => void): void {
    current.run(this, work)
  }

  begin(phase: Phase, operation: string): End {
    const end = this.#observe?.(phase, operation)
    const started = performance.now()
    return (error) => {
      const took = performance.now() - started
      this.#milliseconds.set(phase, (this.#milliseconds.get(phase) ?? 0) + took)
      end?.(error)
    }
  }

  /** What each phase took so far, as Server-Timing says it (https://www.w3.org/TR/server-timing/); '' if there was none. */
  serverTiming(): string {
    return [...this.#milliseconds]
      .map(([phase, took]) => `${phase};dur=${took.toFixed(3)}`)
      .join(', ')
  }
}

/** The way of the request for which this is called, if it has one. */
export function currentJourney(): Journey | undefined {
  return current.getStore()
}

/** Makes methods of an object tell of a phase, whoever calls them for a request from now on. */
export function observeMethods<T extends object>(
  target: T,
  phase: Phase,
  names: (keyof T & string)[],
): void {
  for (const name of names) {
    const method = target[name] as (...given: unknown[]) => unknown
    const observed = (...given: unknown[]) => {
      const end = currentJourney()?.begin(phase, name)
      return end ? ended(() => method.apply(target, given), end) : method.apply(target, given)
    }
    Object.assign(target, { [name]: observed })
  }
}

/** Does what may take its time, and tells of its end. */
export function ended<T>(work: () => T, end: End): T {
  try {
    const result = work()
    if (result instanceof Promise) result.then(() => end(), end)
    else end()
    return result
  } catch (error) {
    end(error)
    throw error
  }
}
