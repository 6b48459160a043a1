import type Sqlite from 'better-sqlite3'

import { DAY } from '../../support/idempotency-keys.js'

export { DAY }

/** Makes the keys of a client some seconds older. */
export function age(client: Sqlite.Database, seconds: number, name = ''): void {
  client
    .prepare('UPDATE idempotency_keys SET created_at = created_at - ? WHERE client = ?')
    .run(seconds, name)
}

export function count(client: Sqlite.Database): number {
  return client.prepare('SELECT count(*) FROM idempotency_keys').pluck().get() as number
}
