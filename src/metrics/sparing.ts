/** How many times as long as finding a value took nobody looks for it again, ... */
const REST = 100
/** ... but for this long at most, in milliseconds, ... */
const LONGEST_REST_MS = 10_000
/** ... unless that would take more than a twentieth of the time. */
const LEAST_REST = 20
/** Until it is looked for again where that failed, in milliseconds. */
const AFTER_FAILURE_MS = 1000

/** A value, and when it was looked for. */
export interface Found<T> {
  value: T
  at: Date
}

/**
 * What is the dearer to find the more there is: it is looked for when somebody asks, but so seldom that this
 * takes about a hundredth of the time, and never more than a twentieth, however many ask.
 */
export class Sparing<T> {
  readonly #find: () => Promise<T>
  #found: Found<T> | undefined
  #due = 0
  #search: Promise<void> | undefined

  constructor(find: () => Promise<T>) {
    this.#find = find
  }

  /** What was found last, or is found within so many milliseconds; undefined: nothing yet. A search may fail. */
  async get(patienceMs: number): Promise<Found<T> | undefined> {
    if (!this.#search && performance.now() >= this.#due) {
      this.#search = this.#look()
        .catch(() => {})
        .finally(() => {
          this.#search = undefined
        })
    }
    if (this.#search) await within(patienceMs, this.#search)
    return this.#found
  }

  async #look(): Promise<void> {
    const at = new Date()
    const started = performance.now()
    this.#due = started + AFTER_FAILURE_MS
    this.#found = { value: await this.#find(), at }
    const ended = performance.now()
    const took = ended - started
    this.#due = ended + Math.max(LEAST_REST * took, Math.min(REST * took, LONGEST_REST_MS))
  }
}

/** Waits for a promise, but no longer than so many milliseconds. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}
