import type { Dialect } from '../../drizzle/define-view.js'
import type { Bulk } from './bulk.js'
import type { Batch, Store } from './store.js'
import type { ViewChange } from './view-changes.js'

/** What a database keeps a secret for: each use has one of its own. */
export type SecretUse = 'cache_entries' | 'idempotency_keys'

export interface OpenOptions {
  /** What messages call its URL; `DATABASE_URL` if left out. */
  calledAs?: string
  /** Told of each view that was not in the database as it is defined, unless the database is new. */
  onViewChange?: (change: ViewChange) => void
  /** Told of the database's file if it was not there, and was made. */
  onCreated?: (file: string) => void
  /** Told of the database's files if others than their owner may read or write them. */
  onExposed?: (files: string[]) => void
  /** Told of the server that takes writes when it was found, and why when it was lost. */
  onPrimary?: (host: string) => void
  onLost?: (reason: string) => void
  /** How long a server is trusted to be the primary since it has proven it, in milliseconds; 0: not at all. */
  leaseMs?: number | undefined
  /** How old the version of a view may be that an answer is judged by, in milliseconds. */
  maxStalenessMs?: number | undefined
}

export interface StoreOptions {
  /** Called for each transaction of writes, before they are answered. */
  onBatch?: (batch: Batch) => void
  /** Told how long each query for the versions of views took that was answered, in seconds, where that is a round trip. */
  onProbe?: (seconds: number) => void
  /** Told of each view that was put in place, or back, while the service runs. */
  onViewChange?: (change: ViewChange) => void
}

/** A database that is open, its schema and views up to date. */
export interface Database {
  readonly dialect: Dialect
  /** For the tools, which have it to themselves. */
  readonly bulk: Bulk
  /** A secret that every process over this database shares, and that is kept nowhere else. */
  secret(use: SecretUse): Buffer
  createStore(options: StoreOptions): Store
  close(): Promise<void>
}
