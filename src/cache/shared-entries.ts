import { Body } from './body.js'
import type { CacheEntry } from './l1-cache.js'
import { entryOf, storedEntry } from './stored-entry.js'

/** How one view is kept in the store that processes share. */
export interface SharedCache {
  /** How long an answer is kept, in milliseconds. */
  ttl: number
  /** The key of the view at a version: another version, another key. */
  key(version: string): string
  /** What is stored there, with its time left in milliseconds. To reject is to miss. */
  get(key: string): Promise<{ value: Buffer; ttl: number } | undefined>
  /** Best effort: nobody waits for it. `ttl` in milliseconds. */
  set(key: string, value: Buffer, ttl: number): Promise<unknown>
  /** Best effort: of a key that nobody asks for any more. */
  unlink(key: string): Promise<unknown>
}

/** What is made of a body up to this size, for others or in another form, is made as soon as it is wanted. */
export const SMALL_BYTES = 64 * 1024
/**
 * How long a larger one must be the last one before that, in milliseconds: to sign and send it, or to compress
 * it, at every change would cost more than a change, and be of use to nobody.
 */
export const REST_MS = 200

/** The entries that are in the store which processes share, or on their way there. */
export class SharedEntries<View> {
  readonly #caches = new Map<View, SharedCache>()
  /** With what each key has behind it for another form of the body; '' for the entry itself. */
  readonly #entries = new WeakMap<CacheEntry, Set<string>>()
  readonly #resting = new Map<View, NodeJS.Timeout>()

  /** Says how a view is kept there, before anything else is done with it. */
  use(view: View, cache: SharedCache): void {
    this.#caches.set(view, cache)
  }

  /** The entry of a view at a version; an error is a miss. */
  async get(view: View, version: string): Promise<CacheEntry | undefined> {
    try {
      const cache = this.#cacheOf(view)
      const stored = await cache.get(cache.key(version))
      if (!stored) return undefined
      const expires = performance.now() + stored.ttl
      const entry = { ...entryOf(stored.value), version, expires }
      this.#note(entry, '')
      return entry
    } catch {
      return undefined
    }
  }

  share(view: View, entry: CacheEntry): void {
    const cache = this.#cacheOf(view)
    const ttl = Math.ceil(entry.expires - performance.now())
    if (ttl <= 0) return
    this.#note(entry, '')
    const value = storedEntry(entry)
    // A store in this process keeps the value: then there is one copy of the body and not two.
    entry.body = Body.of([value.subarray(0, entry.body.length)])
    cache.set(cache.key(entry.version), value, ttl).catch(ignore)
  }

  /** As {@link share}, of one that may soon be replaced: a large one only when it was not. */
  shareUnlessReplaced(view: View, entry: CacheEntry): void {
    if (entry.body.length <= SMALL_BYTES) {
      this.share(view, entry)
      return
    }
    const timer = setTimeout(() => this.share(view, entry), REST_MS).unref()
    clearTimeout(this.#resting.get(view))
    this.#resting.set(view, timer)
  }

  /** Takes out the entry that another one has replaced, best effort. */
  replaced(view: View, entry: CacheEntry): void {
    clearTimeout(this.#resting.get(view))
    const cache = this.#cacheOf(view)
    const suffixes = this.#entries.get(entry) ?? []
    this.#entries.delete(entry)
    for (const suffix of suffixes)
      cache.unlink(`${cache.key(entry.version)}${suffix}`).catch(ignore)
  }

  /** Says that an entry has taken the place of another one of the same version: what is there is of both. */
  taken(before: CacheEntry, entry: CacheEntry): void {
    for (const suffix of this.#entries.get(before) ?? []) this.#note(entry, suffix)
  }

  /** The body of an entry in another form; an error is a miss. */
  async getEncoded(view: View, entry: CacheEntry, coding: string): Promise<Buffer | undefined> {
    try {
      const cache = this.#cacheOf(view)
      const stored = await cache.get(`${cache.key(entry.version)}:${coding}`)
      if (stored) this.#note(entry, `:${coding}`)
      return stored?.value
    } catch {
      return undefined
    }
  }

  shareEncoded(view: View, entry: CacheEntry, coding: string, encoded: Buffer): void {
    const cache = this.#cacheOf(view)
    const ttl = Math.ceil(entry.expires - performance.now())
    // One that was replaced meanwhile would stay there.
    if (ttl <= 0 || !this.#entries.has(entry)) return
    this.#note(entry, `:${coding}`)
    cache.set(`${cache.key(entry.version)}:${coding}`, encoded, ttl).catch(ignore)
  }

  #note(entry: CacheEntry, suffix: string): void {
    const suffixes = this.#entries.get(entry) ?? new Set()
    this.#entries.set(entry, suffixes.add(suffix))
  }

  #cacheOf(view: View): SharedCache {
    return this.#caches.get(view) as SharedCache
  }
}

function ignore(): void {}
