import type { Database, OpenOptions, SecretUse, StoreOptions } from '../database.js'
import { UnusableDatabase } from '../errors.js'
import { repeat } from '../repeat.js'
import type { Store } from '../store.js'
import type { ViewChange } from '../view-changes.js'
import type { GeneratedView } from '../views/generate.js'
import { PostgresBulk } from './bulk.js'
import { Connection } from './connection.js'
import { type Drizzle, drizzleOn } from './drizzle.js'
import { explained } from './explained.js'
import { grantServing } from './grant.js'
import { hostsOf } from './hosts.js'
import { bringUpToDate, inSchemaLock } from './migrate.js'
import { createPostgresStore, type PostgresStoreOptions } from './postgres-store.js'
import { Primary } from './primary.js'
import { registeredViews } from './registered-views.js'
import { readSecrets } from './secrets.js'
import { ViewKeeper } from './view-keeper.js'

/** How long the start waits for a server that takes writes, in milliseconds. */
export const START_MS = 10_000
/** How long a lease lasts where several hosts are named, in milliseconds. */
const LEASE_MS = 1000

export interface PostgresOptions extends OpenOptions {
  /** The cached views of this release; those in `drizzle/views` if left out. */
  views?: readonly GeneratedView[]
  /** How long the start waits for a primary, in milliseconds. */
  startMs?: number
}

/** A PostgreSQL database, on whichever of its servers is the primary. */
export class PostgresDatabase implements Database {
  readonly dialect = 'postgres'
  readonly drizzle: Drizzle
  readonly primary: Primary
  readonly bulk: PostgresBulk
  readonly #secrets: Record<SecretUse, Buffer>
  readonly #options: PostgresOptions & { views: readonly GeneratedView[] }
  readonly #keeper: ViewKeeper
  /** Views whose triggers are not what they should be, and that this role may not put back. */
  readonly #broken = new Set<string>()

  private constructor(
    primary: Primary,
    secrets: Record<SecretUse, Buffer>,
    options: PostgresOptions & { views: readonly GeneratedView[] },
    keeper: ViewKeeper,
  ) {
    this.primary = primary
    this.drizzle = drizzleOn(primary)
    this.bulk = new PostgresBulk(primary)
    this.#secrets = secrets
    this.#options = options
    this.#keeper = keeper
  }

  /** @throws {UnusableDatabase} */
  static async open(url: string, given: PostgresOptions = {}): Promise<PostgresDatabase> {
    const options = { views: registeredViews, ...given }
    const { calledAs = 'DATABASE_URL' } = options
    const hosts = hostsOfUrl(url, calledAs)
    const { leaseMs = hosts.length > 1 ? LEASE_MS : undefined } = options
    const primary = new Primary(hosts, leaseMs, options)
    try {
      await primary.first(options.startMs ?? START_MS)
      const keeper = new ViewKeeper(options.views)
      const secrets = await onItsOwn(primary, async (connection) => {
        const changes = await bringUpToDate(connection, keeper)
        for (const change of changes) options.onViewChange?.(change)
        return readSecrets(connection)
      })
      return new PostgresDatabase(primary, secrets, options, keeper)
    } catch (error) {
      await primary.close()
      throw told(error, calledAs)
    }
  }

  secret(use: SecretUse): Buffer {
    return this.#secrets[use]
  }

  /**
   * Lets another role serve over the tables of this one, which owns them and brings them up to date.
   *
   * @throws {UnusableDatabase}
   */
  async grantServing(role: string): Promise<void> {
    await onItsOwn(this.primary, (connection) => grantServing(connection, role))
  }

  createStore(
    options: StoreOptions &
      Pick<PostgresStoreOptions, 'sweepEveryMs' | 'limits'> & { keepViewsEveryMs?: number },
  ): Store {
    const { views, maxStalenessMs } = this.#options
    const store = createPostgresStore(this.primary, this.drizzle, {
      ...options,
      views,
      secret: this.#secrets.idempotency_keys,
      maxStalenessMs,
      isBroken: (view) => this.#broken.has(view),
    })
    const stopKeeping = this.#keepViews(options.keepViewsEveryMs ?? 30_000, options.onViewChange)
    return {
      ...store,
      close() {
        stopKeeping()
        return store.close()
      },
    }
  }

  async close(): Promise<void> {
    await this.primary.close()
  }

  /** What somebody drops by hand while the service runs is put back, too, and its views read anew. */
  #keepViews(everyMs: number, onViewChange: (change: ViewChange) => void = () => {}): () => void {
    return repeat(everyMs, async () => {
      const isDue = await this.primary.do(({ reader }) => this.#keeper.isDue(reader))
      try {
        const changes = isDue ? await this.#keep() : []
        for (const change of changes) onViewChange(change)
        this.#broken.clear()
      } catch {
        // Not now, or never: until they are put back nothing of them may be cached.
        const broken = await this.primary.do(({ reader }) => this.#keeper.unsettled(reader))
        for (const view of broken) {
          if (!this.#broken.has(view)) onViewChange({ view, what: 'broken' })
          this.#broken.add(view)
        }
      }
    })
  }

  #keep(): Promise<ViewChange[]> {
    return onItsOwn(this.primary, (connection) =>
      inSchemaLock(connection, () => this.#keeper.keep(connection)),
    )
  }
}

/** Does something that may take long on a connection of its own to the primary. */
async function onItsOwn<T>(
  primary: Primary,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { host } = await primary.session()
  const connection = await Connection.open(host)
  try {
    return await work(connection)
  } catch (error) {
    // A view that cannot be, for instance.
    throw error instanceof TypeError ? error : explained(error, host)
  } finally {
    await connection.end()
  }
}

export function hostsOfUrl(url: string, calledAs: string) {
  try {
    return hostsOf(url)
  } catch (error) {
    throw new UnusableDatabase(`${calledAs}: ${(error as Error).message}`)
  }
}

/** Which variable it was: the URL itself may have a password in it. */
function told(error: unknown, calledAs: string): unknown {
  if (!(error instanceof UnusableDatabase)) return error
  return new UnusableDatabase(`${calledAs}: ${error.message}`, { cause: error })
}
