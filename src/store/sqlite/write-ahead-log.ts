import { statSync } from 'node:fs'
import type Sqlite from 'better-sqlite3'
import type { Snapshots } from './snapshots.js'

const MIB = 1024 * 1024

export const LIMITS = {
  /** What is left of the file when the log begins anew (`journal_size_limit`). */
  restBytes: 16 * MIB,
  /** From here on a checkpoint gets its turn: further snapshots wait a moment for those that are open. */
  softBytes: 32 * MIB,
  momentMs: 200,
  /** From here on snapshots that are not brand-new are given up, and their clients' connections end. */
  hardBytes: 64 * MIB,
  /** How old a snapshot must be for that. */
  graceMs: 1000,
  /** How often the log is looked at, beside after each commit of this process. */
  everyMs: 250,
  /** How often a checkpoint is tried. */
  tryEveryMs: 1000,
}

/**
 * Bounds the file of SQLite's write-ahead log. It can only begin anew when all of it was checkpointed
 * and nobody reads from it (https://www.sqlite.org/wal.html, "Avoiding Excessively Large WAL Files"):
 * one snapshot that stays, or many that overlap, would let it grow for as long as there are writes.
 */
export class WriteAheadLog {
  readonly #client: Sqlite.Database
  readonly #snapshots: Snapshots
  readonly #limits: typeof LIMITS
  #tried = Number.NEGATIVE_INFINITY

  constructor(
    client: Sqlite.Database,
    snapshots: Snapshots,
    limits: Partial<typeof LIMITS> | undefined,
  ) {
    this.#client = client
    this.#snapshots = snapshots
    this.#limits = { ...LIMITS, ...limits }
    client.pragma(`journal_size_limit = ${this.#limits.restBytes}`)
  }

  /** Looks at its size, and does what that wants; to be called after each commit, and now and then. */
  check(): void {
    const size = this.#size()
    if (size < this.#limits.softBytes) return
    const { hardBytes, graceMs, momentMs, tryEveryMs } = this.#limits
    const isTooLarge = size >= hardBytes
    if (isTooLarge) this.#snapshots.revoke(graceMs, 'the write-ahead log has grown too large')
    const now = performance.now()
    if (now - this.#tried < tryEveryMs) return
    this.#tried = now
    const patienceMs = isTooLarge ? graceMs + momentMs : momentMs
    this.#snapshots.whenNoneIsOpen(() => this.#checkpoint(), patienceMs).catch(() => {})
  }

  /** Other processes may read or write: then it gives up after the short `busy_timeout`, until the next time. */
  #checkpoint(): void {
    if (this.#client.open) this.#client.pragma('wal_checkpoint(TRUNCATE)')
  }

  #size(): number {
    if (this.#client.memory) return 0
    return statSync(`${this.#client.name}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }
}
