import { randomUUID } from 'node:crypto'
import { queryOnce } from './postgres-client.js'
import type { Scope } from './scope.js'

/**
 * The URL of a database for a role that owns nothing of it.
 *
 * @param owners the URL for the superuser
 */
export async function servingRole(scope: Scope, owners: string): Promise<string> {
  const role = `serving_${randomUUID().slice(0, 8)}`
  await queryOnce(owners, `CREATE ROLE ${role} LOGIN PASSWORD 'serving'`)
  scope.teardown(() => queryOnce(owners, `DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const url = new URL(owners)
  url.username = role
  url.password = 'serving'
  return url.href
}
