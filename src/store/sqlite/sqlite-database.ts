import type { Database, OpenOptions, SecretUse, StoreOptions } from '../database.js'
import type { Store } from '../store.js'
import { SqliteBulk } from './bulk.js'
import { type Drizzle, openSqlite } from './open.js'
import { secretFor } from './secrets.js'
import { createSqliteStore } from './sqlite-store.js'

/** A SQLite database, in this process. */
export class SqliteDatabase implements Database {
  readonly dialect = 'sqlite'
  readonly drizzle: Drizzle
  readonly bulk: SqliteBulk

  /** @throws {UnusableDatabase} */
  constructor(url: string, options: OpenOptions = {}) {
    this.drizzle = openSqlite(url, options)
    this.bulk = new SqliteBulk(this.drizzle.$client)
  }

  secret(use: SecretUse): Buffer {
    return secretFor(this.drizzle.$client, use)
  }

  createStore(options: StoreOptions): Store {
    return createSqliteStore(this.drizzle, options)
  }

  async close(): Promise<void> {
    this.drizzle.$client.close()
  }
}
