import type { CacheEntry } from './l1-cache.js'
import { REST_MS, type SharedEntries, SMALL_BYTES } from './shared-entries.js'

/** Makes another form of a body, in another thread. */
export type Encode = (body: Buffer, coding: string) => Promise<Buffer>

/** Smaller bodies stay as they are: they fit into a packet. */
const LEAST_BYTES = 1024
/** Bodies that are encoded at once; whoever asks for another one is sent it as it is. */
const AT_ONCE = 2

interface Forms {
  /** In milliseconds of `performance.now()`. */
  askedFirst: number
  /** None: it is being made, or not worth it. */
  bodies: Map<string, Buffer | undefined>
}

/**
 * The bodies of entries in other forms, as clients ask for them: made once, while everybody is sent the body
 * as it is, and shared as that is. They go with their entry.
 */
export class EncodedBodies<View> {
  readonly #encode: Encode
  readonly #shared: SharedEntries<View>
  readonly #forms = new WeakMap<CacheEntry, Forms>()
  #underWay = 0

  constructor(encode: Encode, shared: SharedEntries<View>) {
    this.#encode = encode
    this.#shared = shared
  }

  /** The body of an entry in a coding, if it is there already. */
  get(view: View, entry: CacheEntry, coding: string): Buffer | undefined {
    const forms = this.#formsOf(entry)
    if (forms.bodies.has(coding)) return forms.bodies.get(coding)
    if (this.#isDue(entry, forms)) this.#make(view, entry, coding, forms)
    return undefined
  }

  /** The bytes of all forms of an entry. */
  bytesOf(entry: CacheEntry): number {
    const bodies = this.#forms.get(entry)?.bodies.values() ?? []
    return [...bodies].reduce((sum, body) => sum + (body?.length ?? 0), 0)
  }

  #formsOf(entry: CacheEntry): Forms {
    const known = this.#forms.get(entry)
    if (known) return known
    const forms = { askedFirst: performance.now(), bodies: new Map() }
    this.#forms.set(entry, forms)
    return forms
  }

  #isDue({ body }: CacheEntry, { askedFirst }: Forms): boolean {
    if (body.length < LEAST_BYTES || this.#underWay >= AT_ONCE) return false
    return body.length <= SMALL_BYTES || performance.now() - askedFirst >= REST_MS
  }

  async #make(view: View, entry: CacheEntry, coding: string, { bodies }: Forms): Promise<void> {
    this.#underWay++
    bodies.set(coding, undefined)
    try {
      const shared = await this.#shared.getEncoded(view, entry, coding)
      const encoded = shared ?? (await this.#encode(entry.body.whole(), coding))
      if (encoded.length >= entry.body.length) return
      bodies.set(coding, encoded)
      if (!shared) this.#shared.shareEncoded(view, entry, coding, encoded)
    } catch {
      // It is sent as it is.
    } finally {
      this.#underWay--
    }
  }
}
