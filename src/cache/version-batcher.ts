/** Where versions come from: the database, at once, or where that is far away, in time. */
export type VersionSource<View> = (view: View) => string | Promise<string>

/**
 * Shares one probe of a view's version among all requests that a turn of the event loop brings. It
 * begins in the check phase, behind the poll phase in which they were parsed: after each of them
 * arrived, and before any is answered. So its moment lies within the time of each, and none misses a
 * write, of whatever process, that was acknowledged before it was sent.
 *
 * That they are then answered one right behind the other is worth as much as the probes that are
 * saved: parsing and answering in turns costs a server more than doing each in a row (see bench/).
 * (Batching within a turn of the event loop is what https://github.com/graphql/dataloader does.)
 */
export class VersionBatcher<View> {
  readonly #source: VersionSource<View>
  /** Of each view, those who wait for the probe that has not begun. */
  readonly #waiting = new Map<View, Ask[]>()

  constructor(source: VersionSource<View>) {
    this.#source = source
  }

  /** The version of a view at a moment between this call and its result. */
  version(view: View): Promise<string> {
    return new Promise((resolve, reject) => this.ask(view, { resolve, reject }))
  }

  /** As `version`, told at once: all who share a probe are answered in a row, with no promise for each. */
  ask(view: View, ask: Ask): void {
    const waiting = this.#waiting.get(view)
    if (waiting) {
      waiting.push(ask)
      return
    }
    this.#waiting.set(view, [ask])
    setImmediate(() => this.#begin(view))
  }

  #begin(view: View): void {
    const waiting = this.#waiting.get(view) as Ask[]
    this.#waiting.delete(view)
    const reject = (error: unknown) => {
      for (const ask of waiting) ask.reject(error)
    }
    const resolve = (version: string) => {
      for (const ask of waiting) ask.resolve(version)
    }
    try {
      const version = this.#source(view)
      if (typeof version === 'string') resolve(version)
      else version.then(resolve, reject)
    } catch (error) {
      reject(error)
    }
  }
}

/** Who asks for a version. Neither may throw: others are told behind them. */
interface Ask {
  resolve: (version: string) => void
  reject: (error: unknown) => void
}
