import type { Readable } from 'node:stream'
import { Body } from './body.js'
import { viewEtag } from './cache-key.js'
import { collect, MAX_BODY_BYTES } from './collect.js'
import { type Encode, EncodedBodies } from './encoded-bodies.js'
import { type CacheEntry, type DividedEntry, L1Cache } from './l1-cache.js'
import { isOrdered, joinParts, type Part, type PartIndex } from './parts.js'
import { type SharedCache, SharedEntries } from './shared-entries.js'
import { type Flight, SingleFlight } from './single-flight.js'
import { VersionBatcher, type VersionSource } from './version-batcher.js'

/** A view as it is now: its bytes, and the version that they belong to, of one snapshot. */
export interface Filling extends Readable {
  readonly version: string
  readonly number: number
  /** If the view has parts: complete once it was read to its end. */
  readonly index: PartIndex | undefined
}

/** What has changed of a view since a version, and the version that it has now: of one snapshot. */
interface Changed {
  version: string
  number: number
  parts: [part: Part, json: Buffer][]
}

/** Reads that; undefined: nobody can tell, or it would be more than so many parts. */
type ReadChanges<View> = (
  view: View,
  since: { version: string; number: number },
  atMost: number,
  deadline: number | undefined,
) => Promise<Changed | undefined>

/**
 * Where an answer comes from: the client has it already; the entry in this process; an older one, and the
 * parts that have changed since; the shared store; the fill of another request; a fill of its own, which was
 * stored, or was not (too large, or outdated by the time it was read).
 */
export type Source = 'not_modified' | 'near' | 'parts' | 'redis' | 'collapsed' | 'stored' | 'passed'

export interface Answer {
  source: Source
  /** The entity tag of the view as it is answered. */
  etag: string
  /** None if it is not modified. */
  body: Buffer | Readable | undefined
  /** How long it will be kept, in milliseconds; 0 unless it is a hit. */
  ttl: number
  /** What it is an answer from, for {@link ViewCache.encoded}; none if it is kept nowhere. */
  entry?: CacheEntry
}

/** Finds the tag under which a client has the representation with this entity tag. */
type Known = (etag: string) => string | undefined

/** What is known of a request: the version of the view behind its arrival, and until when it waits. */
export interface Asked {
  version?: string | undefined
  /** Until when the database may begin to answer, in milliseconds of `performance.now()`. */
  deadline?: number | undefined
}

/** Told of each read of a view: whether all of it or parts were read, and what it took in seconds. */
type OnFill<View> = (view: View, what: 'whole' | 'parts', seconds: number) => void

export interface ViewCacheOptions<View> {
  readChanges?: ReadChanges<View>
  onFill?: OnFill<View>
  encode?: Encode
}

/** A change of so few parts is always less work than reading the whole; else half of them are, ... */
const FEW_PARTS = 16
/** ... but never more: they are asked for one by one. */
const MOST_PARTS = 256

/**
 * The way to the answer of a cached view, and the only one:
 *
 *     version → 304 → L1 → a flight under way → changed parts → shared store → fill → store
 *
 * It begins with the version, asked from the database after the request arrived. Whatever is kept is
 * kept under its version and never changes, so no step can give an answer that is older than that:
 * late fills, lost deletes and a store that comes back with old entries leave garbage, not lies.
 */
export class ViewCache<View> {
  readonly l1 = new L1Cache<View>()
  /** By a key that bears the version just read: nobody joins one that took off before a write they know of. */
  readonly #flights = new SingleFlight<string, CacheEntry>()
  /** Reads of whole views that have parts, or may have. */
  readonly #fills = new SingleFlight<View, DividedEntry>()
  readonly #versions: VersionBatcher<View>
  readonly #shared = new SharedEntries<View>()
  /** Until when views are taken to be too large to be kept, in milliseconds of `performance.now()`. */
  readonly #large = new Map<View, number>()
  readonly #encoded: EncodedBodies<View>
  readonly #readChanges: ReadChanges<View>
  readonly #onFill: OnFill<View>

  constructor(
    source: VersionSource<View>,
    {
      readChanges = async () => undefined,
      onFill = () => {},
      encode = async (body) => body,
    }: ViewCacheOptions<View> = {},
  ) {
    this.#encoded = new EncodedBodies(encode, this.#shared)
    this.#versions = new VersionBatcher(source)
    this.#readChanges = readChanges
    this.#onFill = onFill
  }

  /**
   * The whole way.
   *
   * @param read reads the view from the database, which must begin to answer before a deadline
   * @param asked what {@link near} has found for this request
   */
  async answer(
    view: View,
    shared: SharedCache,
    known: Known,
    read: (deadline?: number) => Promise<Filling>,
    asked: Asked = {},
  ): Promise<Answer> {
    const found = await this.lookup(view, shared, known, asked)
    if (!(found instanceof Miss)) return found
    try {
      return await found.fill(await read(asked.deadline))
    } catch (error) {
      found.abandon(error)
      throw error
    }
  }

  /** The way up to the fill: an answer, or a miss that the caller must fill or abandon. */
  async lookup(
    view: View,
    shared: SharedCache,
    known: Known,
    { version, deadline }: Asked = {},
  ): Promise<Answer | Miss> {
    const current = version ?? (await this.#versions.version(view))
    return this.#near(view, known, current) ?? this.#lookFurther(view, shared, current, deadline)
  }

  /**
   * The way up to the entry in this process, which waits for nothing but the version.
   *
   * @param done is told of the answer, or of the version of which there is none here; must not throw
   */
  near(
    view: View,
    known: Known,
    done: (found: Answer | { version: string }) => void,
    failed: (error: unknown) => void,
  ): void {
    this.#versions.ask(view, {
      resolve: (version) => done(this.#near(view, known, version) ?? { version }),
      reject: failed,
    })
  }

  #near(view: View, known: Known, version: string): Answer | undefined {
    const etag = viewEtag(version)
    const tag = known(etag)
    if (tag !== undefined) return { source: 'not_modified', etag: tag, body: undefined, ttl: 0 }
    const now = performance.now()
    const entry = this.l1.get(view, version, now)
    return entry && hit('near', entry, now)
  }

  /** The body of an answer in a coding, if it is there already; if not, it is made. */
  encoded(view: View, { entry }: Answer, coding: string): Buffer | undefined {
    return entry && this.#encoded.get(view, entry, coding)
  }

  /** How many bytes of each view are kept. */
  *bytes(): Iterable<[view: View, bytes: number]> {
    for (const [view, entry] of this.l1.entries()) {
      yield [view, entry.body.length + this.#encoded.bytesOf(entry)]
    }
  }

  async #lookFurther(
    view: View,
    shared: SharedCache,
    version: string,
    deadline: number | undefined,
  ): Promise<Answer | Miss> {
    this.#shared.use(view, shared)
    const key = shared.key(version)
    const flight = this.#flights.join(key)
    if (flight) {
      const entry = await flight
      // A write may have overtaken it: it is then of a later version than was asked for.
      return entry ? made('collapsed', entry) : this.#miss(view, shared.ttl)
    }

    const led = this.#flights.lead(key)
    try {
      const updated = await this.#update(view, deadline)
      const entry = updated ?? (await this.#shared.get(view, version))
      if (!entry) return this.#miss(view, shared.ttl, led)
      led.land(entry)
      if (updated) return made('parts', entry)
      this.#keep(view, entry)
      return hit('redis', entry)
    } catch (error) {
      giveUp(led, error)
      throw error
    }
  }

  /** Makes the entry of now from an older one and the parts that have changed since. */
  async #update(view: View, deadline?: number): Promise<CacheEntry | undefined> {
    const last = this.l1.last(view)
    const updated = last && (await this.#updated(view, last, deadline))
    if (updated) return updated
    // To wait for whoever reads all of it costs less than to do it once more.
    const filled = await this.#fills.join(view)
    return filled && this.#updated(view, filled, deadline)
  }

  async #updated(
    view: View,
    last: DividedEntry,
    deadline?: number,
  ): Promise<CacheEntry | undefined> {
    const started = performance.now()
    const atMost = Math.min(Math.max(FEW_PARTS, last.index.parts.length / 2), MOST_PARTS)
    const changed = await this.#changes(view, last, atMost, deadline)
    if (!changed) return undefined
    const { version, number, parts } = changed
    const entry = { version, number, ...joinParts(last, parts), expires: last.expires }
    if (entry.body.length > MAX_BODY_BYTES) return undefined
    this.#onFill(view, 'parts', (performance.now() - started) / 1000)
    // Unless somebody else has made a later one meanwhile.
    if ((this.l1.last(view)?.number ?? 0) <= number) {
      this.#keep(view, entry)
      this.#shared.shareUnlessReplaced(view, entry)
    }
    return entry
  }

  /**
   * What the database cannot do now is not tried again with the older entry; nor is the whole read instead:
   * a request that has waited in vain would wait once more.
   */
  async #changes(
    view: View,
    last: DividedEntry,
    atMost: number,
    deadline?: number,
  ): Promise<Changed | undefined> {
    try {
      return await this.#readChanges(view, last, atMost, deadline)
    } catch (error) {
      this.l1.delete(view, last)
      throw error
    }
  }

  /** @param ttl milliseconds */
  #miss(view: View, ttl: number, flight = ALONE): Miss {
    const started = performance.now()
    const isLarge = (this.#large.get(view) ?? 0) > started
    const isAwaited = !isLarge && !this.#fills.join(view)
    const whole = isAwaited ? this.#fills.lead(view) : ALONE
    const abandon = (error?: unknown) => {
      giveUp(flight, error)
      giveUp(whole, error)
    }
    const fill = async (filling: Filling): Promise<Answer> => {
      const { version, number } = filling
      if (!filling.index) whole.land()
      // Of one that was too large lately, megabytes would wait here for nothing before the first is sent.
      const body = isLarge ? filling : await collect(filling)
      if (!(body instanceof Body)) {
        if (!isLarge) this.#large.set(view, performance.now() + ttl)
        abandon()
        return { source: 'passed', etag: viewEtag(version), body, ttl: 0 }
      }
      this.#onFill(view, 'whole', (performance.now() - started) / 1000)
      const index = filling.index && isOrdered(filling.index) ? filling.index : undefined
      const entry = { version, number, body, index, expires: performance.now() + ttl }
      // What was read is an answer also where the database cannot say now whether it is worth keeping.
      const isCurrent = version === (await this.#versions.version(view).catch(() => undefined))
      // One that a write has overtaken is the answer of nobody who comes, but the next is made from it.
      if (isCurrent || isDivided(entry)) this.#keep(view, entry)
      if (isCurrent) this.#shared.share(view, entry)
      flight.land(entry)
      whole.land(isDivided(entry) ? entry : undefined)
      return made(isCurrent ? 'stored' : 'passed', entry)
    }
    return new Miss(fill, abandon)
  }

  #keep(view: View, entry: CacheEntry): void {
    const before = this.l1.set(view, entry)
    if (!before) return
    if (before.version === entry.version) this.#shared.taken(before, entry)
    else this.#shared.replaced(view, before)
  }

  /**
   * Forgets entries that commits have outdated, unless the next one can be made from them, and takes them
   * out of the shared store: tidiness, not truth.
   */
  async forgetOutdated(): Promise<void> {
    for (const [view, entry] of this.l1.entries()) {
      if ((await this.#versions.version(view)) === entry.version) continue
      this.#shared.replaced(view, entry)
      if (!this.l1.last(view)) this.l1.delete(view, entry)
    }
  }
}

/** Nothing that is kept is the answer: the view must be read. */
export class Miss {
  /** Reads the view to its end, unless it is too large to keep, and keeps it. */
  readonly fill: (filling: Filling) => Promise<Answer>
  /**
   * Lets those who wait for this fill go on alone, if it has not come to an end; or fail as it did, where
   * the database cannot do it now.
   */
  readonly abandon: (error?: unknown) => void

  constructor(fill: Miss['fill'], abandon: Miss['abandon']) {
    this.fill = fill
    this.abandon = abandon
  }
}

/** A miss for which nobody waits. */
const ALONE: Flight<CacheEntry> = { land() {}, fail() {} }

/** Ends a flight without a value: for what the database cannot do now nobody has to wait a second time. */
function giveUp({ land, fail }: Flight<never>, error: unknown): void {
  if ((error as { statusCode?: number } | undefined)?.statusCode === 503) fail(error)
  else land()
}

function isDivided(entry: CacheEntry): entry is DividedEntry {
  return entry.index !== undefined
}

function hit(source: 'near' | 'redis', entry: CacheEntry, now = performance.now()): Answer {
  const { version, body, expires } = entry
  return { source, etag: viewEtag(version), body: body.payload(), ttl: expires - now, entry }
}

/** An answer that was not there before. */
function made(source: Source, entry: CacheEntry): Answer {
  return { source, etag: viewEtag(entry.version), body: entry.body.payload(), ttl: 0, entry }
}
