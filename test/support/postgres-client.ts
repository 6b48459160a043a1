import { randomUUID } from 'node:crypto'
import { Client, type QueryResult } from 'pg'
import type { Scope } from './scope.js'
import { scoped } from './scope.js'

/** A connected client that is closed with the scope, whatever its server does then. */
export async function postgresClient(scope: Scope, url: string): Promise<Client> {
  const client = new Client(url)
  // Of a server that is killed; queries fail of themselves.
  client.on('error', () => {})
  // Without a farewell, for which a server that is frozen would be waited for.
  scope.teardown(() => client.connection.stream.destroy())
  await client.connect()
  return client
}

/** One statement, on a connection of its own. */
export function queryOnce(url: string, sql: string): Promise<QueryResult> {
  return scoped(async (scope) => (await postgresClient(scope, url)).query(sql))
}

/**
 * The URL of a new database on a server: empty, or a copy of another one.
 *
 * @param template to which nobody is connected, as to template0 nobody can be
 */
export async function createDatabase(
  serverUrl: string,
  template = 'template0',
  name = `test_${randomUUID().replaceAll('-', '')}`,
): Promise<string> {
  await queryOnce(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Closes the connections to it, too. */
export async function dropDatabase(serverUrl: string, url: string): Promise<void> {
  await queryOnce(
    serverUrl,
    `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`,
  )
}
