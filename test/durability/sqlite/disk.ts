import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from './syscall-trace.js'

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512

interface Write {
  offset: number
  data: Buffer
}
type Change = Write | { size: number }

interface File {
  durable: Content
  unsynced: { event: number; change: Change }[]
}

interface Entry {
  event: number
  name: string
  /** Undefined: the name is removed. */
  file: File | undefined
}

/** What of the changes that were not synced a power cut leaves, and in which order they were made. */
export type Survivors = <T>(changes: T[]) => T[]

/**
 * The files of a directory as a power cut would find them: what was synced is there, and of what was
 * not, whatever the disk has happened to write. A name is durable when its directory was synced.
 */
export class Disk {
  readonly #names = new Map<string, File>()
  readonly #durableNames: Map<string, File>
  #unsyncedNames: Entry[] = []
  #events = 0

  /** With what is in a directory now, all of it durable. */
  constructor(directory: string) {
    for (const [name, bytes] of filesIn(directory)) {
      this.#names.set(name, { durable: new Content(bytes), unsynced: [] })
    }
    this.#durableNames = new Map(this.#names)
  }

  /** Takes the next event of the sequence. */
  take(event: Event): void {
    const number = this.#events++
    if (event.kind === 'answer') return
    const { kind, file: name } = event
    const file = this.#names.get(name)
    if (kind === 'sync') {
      if (name === '.') this.#syncNames(event.since)
      else if (file) sync(file, event.since)
    } else if (kind === 'create') {
      if (!file) this.#name(number, name, { durable: new Content(), unsynced: [] })
    } else if (kind === 'remove') {
      if (file) this.#name(number, name, undefined)
    } else {
      if (!file) throw new Error(`${name} was written to, but not created`)
      file.unsynced.push({ event: number, change: event })
    }
  }

  /** Whether a power cut now could leave less than there is. */
  get isAtRisk(): boolean {
    return (
      this.#unsyncedNames.length > 0 ||
      [...this.#durableNames.values()].some(({ unsynced }) => unsynced.length > 0)
    )
  }

  /**
   * What a power cut leaves.
   *
   * @param torn whether of one write some sectors may be there and others not
   */
  image(survivors: Survivors, torn = false): Map<string, Buffer> {
    const names = new Map(this.#durableNames)
    for (const entry of survivors(this.#unsyncedNames)) rename(names, entry)
    const contents = [...names].map(([name, { durable, unsynced }]) => {
      const changes = unsynced.flatMap(({ change }) => (torn ? sectorsOf(change) : [change]))
      const content = new Content(durable.bytes)
      for (const change of survivors(changes)) content.apply(change)
      return [name, content.bytes] as const
    })
    return new Map(contents)
  }

  #name(event: number, name: string, file: File | undefined): void {
    const entry = { event, name, file }
    rename(this.#names, entry)
    this.#unsyncedNames.push(entry)
  }

  #syncNames(since: number): void {
    const synced = this.#unsyncedNames.filter(({ event }) => event < since)
    this.#unsyncedNames = this.#unsyncedNames.filter(({ event }) => event >= since)
    for (const entry of synced) rename(this.#durableNames, entry)
  }
}

/** The files of a database in a directory, without the index in shared memory. */
export function filesIn(directory: string): Map<string, Buffer> {
  const names = readdirSync(directory).filter((name) => !name.endsWith('-shm'))
  return new Map(names.map((name) => [name, readFileSync(join(directory, name))]))
}

function sync(file: File, since: number): void {
  for (const { change } of file.unsynced.filter(({ event }) => event < since)) {
    file.durable.apply(change)
  }
  file.unsynced = file.unsynced.filter(({ event }) => event >= since)
}

function rename(names: Map<string, File>, { name, file }: Entry): void {
  if (file) names.set(name, file)
  else names.delete(name)
}

function sectorsOf(change: Change): Change[] {
  if ('size' in change) return [change]
  const { offset, data } = change
  const sectors: Write[] = []
  for (let start = 0; start < data.length; ) {
    const end = start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES)
    sectors.push({ offset: offset + start, data: data.subarray(start, end) })
    start = end
  }
  return sectors
}

/** Bytes that grow in place. */
class Content {
  #buffer: Buffer
  #size: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#buffer = Buffer.from(bytes)
    this.#size = bytes.length
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size)
  }

  apply(change: Change): void {
    if ('size' in change) {
      this.#resize(change.size)
    } else {
      const end = change.offset + change.data.length
      if (end > this.#size) this.#resize(end)
      change.data.copy(this.#buffer, change.offset)
    }
  }

  #resize(size: number): void {
    if (size > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.bytes], Math.max(size, 2 * this.#buffer.length))
    }
    // What was cut off, and comes back by a write further behind, is zero.
    if (size < this.#size) this.#buffer.fill(0, size, this.#size)
    this.#size = size
  }
}
