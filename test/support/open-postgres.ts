import type { View } from '../../drizzle/define-view.js'
import { postgresDialect } from '../../src/store/postgres/dialect.js'
import {
  PostgresDatabase,
  type PostgresOptions,
} from '../../src/store/postgres/postgres-database.js'
import { generate } from '../../src/store/views/generate.js'
import { postgresDatabase } from './postgres-database.js'
import type { Scope } from './scope.js'

type Options = Omit<PostgresOptions, 'views'> & { views?: View[] }
type StoreOptions = Parameters<PostgresDatabase['createStore']>[0]

/** A PostgreSQL database as a service has it, closed with the scope. */
export async function openPostgres(
  scope: Scope,
  url: string,
  { views, ...options }: Options = {},
): Promise<PostgresDatabase> {
  const generated = views?.map((view) => generate(view, postgresDialect))
  const db = await PostgresDatabase.open(url, {
    ...options,
    ...(generated && { views: generated }),
  })
  scope.teardown(() => db.close())
  return db
}

/** A store on a PostgreSQL database; a new one, unless its URL is given. */
export async function postgresStore(
  scope: Scope,
  options: StoreOptions = {},
  url?: string,
  ofDatabase: Options = {},
) {
  const ownUrl = url ?? (await postgresDatabase(scope))
  const db = await openPostgres(scope, ownUrl, ofDatabase)
  const store = db.createStore(options)
  scope.teardown(() => store.close())
  return { url: ownUrl, db, store }
}
