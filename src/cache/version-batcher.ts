import { setImmediate as checkPhase } from 'node:timers/promises'

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
  /** Of each view, the probe that has not begun. */
  readonly #next = new Map<View, Promise<string>>()

  constructor(source: VersionSource<View>) {
    this.#source = source
  }

  /** The version of a view at a moment between this call and its result. */
  version(view: View): Promise<string> {
    const next = this.#next.get(view)
    if (next) return next
    const begun = this.#begin(view)
    this.#next.set(view, begun)
    return begun
  }

  async #begin(view: View): Promise<string> {
    await checkPhase()
    this.#next.delete(view)
    return this.#source(view)
  }
}
