import { openDatabase } from '../../src/store/open.js'
import { createDatabase, dropDatabase } from './postgres-client.js'
import { PostgresServer } from './postgres-server.js'
import type { Scope } from './scope.js'

let own: Promise<string> | undefined

/** A database of the service without employees: to copy it takes a tenth of what it takes to make one. */
const TEMPLATE = 'employees_of_tests'

/**
 * The URL of a new, empty database that is dropped with the scope: on the server of TEST_POSTGRES_URL,
 * which all tests of a run share, else on one of this process, which ends with it.
 */
export async function postgresDatabase(scope: Scope, template?: string): Promise<string> {
  const server = process.env.TEST_POSTGRES_URL || (await ownServer())
  const url = await createDatabase(server, template)
  scope.teardown(() => dropDatabase(server, url))
  return url
}

/** As {@link postgresDatabase}; where it can be, all migrations and views are in it already. */
export async function employeesDatabase(scope: Scope): Promise<string> {
  return postgresDatabase(scope, process.env.TEST_POSTGRES_URL ? TEMPLATE : undefined)
}

/** Makes what {@link employeesDatabase} copies. */
export async function createTemplate(serverUrl: string): Promise<void> {
  const database = await openDatabase(await createDatabase(serverUrl, undefined, TEMPLATE))
  await database.close()
}

function ownServer(): Promise<string> {
  own ??= startSharedServer({ teardown: () => {} })
  return own
}

/** The URL of a server for many tests, none of which kills it: quick, and not durable. */
export async function startSharedServer(scope: Scope): Promise<string> {
  const settings = {
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: 300,
    max_wal_size: '128MB',
  }
  return (await PostgresServer.start(scope, { settings })).url()
}
