import type { Readable } from 'node:stream'
import { viewEtag } from './cache-key.js'
import { collect } from './collect.js'
import { type CacheEntry, L1Cache } from './l1-cache.js'
import { SingleFlight } from './single-flight.js'
import { VersionBatcher, type VersionSource } from './version-batcher.js'

/** How one view is kept in the store that processes share. */
export interface SharedCache {
  /** How long an answer is kept, in milliseconds. */
  ttl: number
  /** The key of the view at a version: another version, another key. */
  key(version: string): string
  /** What is stored there, with its time left in milliseconds. To reject is to miss. */
  get(key: string): Promise<{ body: Buffer; ttl: number } | undefined>
  /** Best effort: nobody waits for it. */
  set(key: string, body: Buffer): Promise<unknown>
  /** Best effort: of a key that nobody asks for any more. */
  unlink(key: string): Promise<unknown>
}

/** A view as it is now: its bytes, and the version that they belong to, of one snapshot. */
export interface Filling extends Readable {
  readonly version: string
}

/**
 * Where an answer comes from: the client has it already; the entry in this process; the shared store;
 * the fill of another request; a fill of its own, which was stored, or was not (too large, or outdated
 * by the time it was read).
 */
export type Source = 'not_modified' | 'near' | 'redis' | 'collapsed' | 'stored' | 'passed'

export interface Answer {
  source: Source
  /** The entity tag of the view as it is answered. */
  etag: string
  /** None if it is not modified. */
  body: Buffer | Readable | undefined
  /** How long it will be kept, in milliseconds; 0 unless it is a hit. */
  ttl: number
}

/** Told of each fill that was read to its end: the view, and what it took in seconds. */
type OnFill<View> = (view: View, seconds: number) => void

/**
 * The way to the answer of a cached view, and the only one:
 *
 *     version → 304 → L1 → a flight under way → shared store → fill → store
 *
 * It begins with the version, asked from the database after the request arrived. Whatever is kept is
 * kept under its version and never changes, so no step can give an answer that is older than that:
 * late fills, lost deletes and a store that comes back with old entries leave garbage, not lies.
 */
export class ViewCache<View> {
  readonly l1 = new L1Cache<View>()
  readonly #flights = new SingleFlight<CacheEntry>()
  readonly #versions: VersionBatcher<View>
  readonly #shared = new Map<View, SharedCache>()
  readonly #onFill: OnFill<View>

  constructor(source: VersionSource<View>, onFill: OnFill<View> = () => {}) {
    this.#versions = new VersionBatcher(source)
    this.#onFill = onFill
  }

  /**
   * The whole way.
   *
   * @param isKnown whether the client has the representation with this entity tag
   * @param read reads the view from the database
   */
  async answer(
    view: View,
    shared: SharedCache,
    isKnown: (etag: string) => boolean,
    read: () => Promise<Filling>,
  ): Promise<Answer> {
    const found = await this.lookup(view, shared, isKnown)
    if (!(found instanceof Miss)) return found
    try {
      return await found.fill(await read())
    } finally {
      found.abandon()
    }
  }

  /** The way up to the fill: an answer, or a miss that the caller must fill or abandon. */
  async lookup(
    view: View,
    shared: SharedCache,
    isKnown: (etag: string) => boolean,
  ): Promise<Answer | Miss> {
    const version = await this.#versions.version(view)
    const etag = viewEtag(version)
    if (isKnown(etag)) return { source: 'not_modified', etag, body: undefined, ttl: 0 }
    const entry = this.l1.get(view, version)
    return entry ? hit('near', entry, etag) : this.#lookFurther(view, shared, version, etag)
  }

  async #lookFurther(
    view: View,
    shared: SharedCache,
    version: string,
    etag: string,
  ): Promise<Answer | Miss> {
    this.#shared.set(view, shared)
    const key = shared.key(version)
    const flight = this.#flights.join(key)
    if (flight) {
      const entry = await flight
      // A write may have overtaken it: the fill is then one of a later version than was asked for.
      return entry
        ? { source: 'collapsed', etag: viewEtag(entry.version), body: entry.body, ttl: 0 }
        : this.#miss(view, shared)
    }

    const land = this.#flights.lead(key)
    const stored = await shared.get(key).catch(() => undefined)
    if (!stored) return this.#miss(view, shared, land)
    const entry = this.l1.set(view, version, stored.body, stored.ttl)
    land(entry)
    return hit('redis', entry, etag)
  }

  #miss(view: View, shared: SharedCache, land: (entry?: CacheEntry) => void = () => {}): Miss {
    const started = performance.now()
    return new Miss(async (filling) => {
      const { version } = filling
      const body = await collect(filling)
      const etag = viewEtag(version)
      if (Buffer.isBuffer(body)) {
        this.#onFill(view, (performance.now() - started) / 1000)
        // Otherwise it is an entry that nobody will ask for.
        if (version === (await this.#versions.version(view))) {
          land(this.l1.set(view, version, body, shared.ttl))
          shared.set(shared.key(version), body).catch(ignore)
          return { source: 'stored', etag, body, ttl: 0 }
        }
      }
      return { source: 'passed', etag, body, ttl: 0 }
    }, land)
  }

  /** Forgets entries that commits have outdated, here and in the shared store: tidiness, not truth. */
  async forgetOutdated(): Promise<void> {
    for (const [view, version] of this.l1.versions()) {
      if ((await this.#versions.version(view)) === version) continue
      this.l1.delete(view)
      const shared = this.#shared.get(view)
      shared?.unlink(shared.key(version)).catch(ignore)
    }
  }
}

/** Nothing that is kept is the answer: the view must be read. */
export class Miss {
  /** Reads the view to its end, unless it is too large to keep, and keeps it. */
  readonly fill: (filling: Filling) => Promise<Answer>
  /** Lets those who wait for this fill go on alone, if it has not come to an end. */
  readonly abandon: () => void

  constructor(fill: (filling: Filling) => Promise<Answer>, abandon: () => void) {
    this.fill = fill
    this.abandon = abandon
  }
}

function hit(source: 'near' | 'redis', entry: CacheEntry, etag: string): Answer {
  return { source, etag, body: entry.body, ttl: entry.expires - performance.now() }
}

function ignore(): void {}
