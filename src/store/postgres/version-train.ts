import { PATIENCE_MS, type Primary } from './primary.js'

const VERSIONS = 'SELECT definition, version FROM view_versions'

/** The versions of all views at one moment, by definition. */
type Versions = ReadonlyMap<string, string>

/**
 * Probes of the versions of all views, as trains: at most one is under way and one waits. A request rides
 * in the one that was not sent yet, so its moment lies behind the request's arrival; and however many
 * requests there are, the database is asked once in each round trip.
 */
export class VersionTrain {
  readonly #primary: Primary
  readonly #maxStalenessMs: number
  readonly #onProbe: ((seconds: number) => void) | undefined
  #waiting: Promise<Versions> | undefined
  #underWay: Promise<void> = Promise.resolve()
  /** What was read last, and when that was asked for, in milliseconds of `performance.now()`. */
  #last: { versions: Versions; asked: number } | undefined
  #commits = 0
  /** Trains, and requests that were answered by one. */
  readonly stats = { probes: 0, probed: 0 }

  /**
   * @param maxStalenessMs how old what was read may be that a request is answered from
   * @param onProbe told how long a probe took that was answered, without its proof
   */
  constructor(primary: Primary, maxStalenessMs = 0, onProbe?: (seconds: number) => void) {
    this.#primary = primary
    this.#maxStalenessMs = maxStalenessMs
    this.#onProbe = onProbe
  }

  /**
   * The version that belongs to a definition, at a moment behind this call or as long ago as is allowed.
   *
   * @throws {DatabaseUnavailable}
   */
  async version(definition: string): Promise<string | undefined> {
    this.stats.probed++
    const last = this.#last
    const isRecent = last && performance.now() - last.asked < this.#maxStalenessMs
    const versions = isRecent ? last.versions : await this.#ride()
    return versions.get(definition)
  }

  /** What was read before is not all of the truth any more: this process has written. */
  committed(): void {
    this.#commits++
    this.#last = undefined
  }

  #ride(): Promise<Versions> {
    this.#waiting ??= this.#depart(performance.now() + PATIENCE_MS)
    return this.#waiting
  }

  async #depart(deadline: number): Promise<Versions> {
    await this.#underWay
    this.#waiting = undefined
    this.stats.probes++
    let arrive = () => {}
    this.#underWay = new Promise((resolve) => (arrive = resolve))
    const asked = performance.now()
    const commits = this.#commits
    try {
      const rows = await this.#primary.do(async ({ probe }) => {
        const rows = await probe.rows(VERSIONS, [], 'versions')
        // The next one need not wait for the proof of this one.
        arrive()
        this.#onProbe?.((performance.now() - asked) / 1000)
        return rows
      }, deadline - asked)
      const versions = new Map(rows as [string, string][])
      if (commits === this.#commits) this.#last = { versions, asked }
      return versions
    } finally {
      arrive()
    }
  }
}
