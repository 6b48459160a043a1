/** What a process says that has changed nothing, and will not. */
const NOT_DONE = /nothing was changed/

/** An answer in time: 200, 201 or 304, or a 503 that says when to come again. */
export interface Answer {
  status: number
  isDone: boolean
  /** Of a 503, whether it says that nothing was done; else nobody knows. */
  isRefused: boolean
  text: string
  etag: string
}

/** What a process has answered so far. */
export interface Tally {
  answers: number
  reads: number
  writes: number
  refusedReads: number
  refusedWrites: number
}

/**
 * A client of one process, which takes an answer or a 503 with Retry-After, and notes anything else: another
 * status, and a connection that fails.
 */
export class ProcessClient {
  readonly url: string
  readonly tally: Tally = { answers: 0, reads: 0, writes: 0, refusedReads: 0, refusedWrites: 0 }
  /** The 503 that took longest, and how long. */
  slowestRefusal = { ms: 0, what: '' }
  readonly #failures: string[]
  #underWay = 0

  constructor(url: string, failures: string[]) {
    this.url = url
    this.#failures = failures
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return this.#underWay === 0
  }

  /** Resolves with nothing if that was a failure. */
  async send(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer | undefined> {
    const start = performance.now()
    this.#underWay++
    try {
      const answer = await fetch(`${this.url}${path}`, {
        method,
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        body: body ? JSON.stringify(body) : null,
      })
      const text = await answer.text()
      if (answer.status < 400) return this.#done(method, answer, text)
      if (answer.status === 503 && Number(answer.headers.get('retry-after')) > 0) {
        const ms = performance.now() - start
        return this.#refused(method, text, { ms, what: `${method} ${path}: ${text}` })
      }
      this.#failures.push(`${method} ${this.url}${path} gave ${answer.status}: ${text}`)
    } catch (error) {
      const { message, cause } = error as Error
      this.#failures.push(`${method} ${this.url}${path}: ${message} (${cause})`)
    } finally {
      this.#underWay--
    }
    return undefined
  }

  #done(method: string, { status, headers }: Response, text: string): Answer {
    this.tally.answers++
    if (method === 'GET') this.tally.reads++
    else this.tally.writes++
    const etag = headers.get('etag') ?? ''
    return { status, isDone: true, isRefused: false, text, etag }
  }

  #refused(method: string, text: string, refusal: { ms: number; what: string }): Answer {
    this.tally.answers++
    if (method === 'GET') this.tally.refusedReads++
    else this.tally.refusedWrites++
    if (refusal.ms > this.slowestRefusal.ms) this.slowestRefusal = refusal
    return { status: 503, isDone: false, isRefused: NOT_DONE.test(text), text, etag: '' }
  }
}
