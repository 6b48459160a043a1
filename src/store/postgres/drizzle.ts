import { hash } from 'node:crypto'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import * as schema from '../../../drizzle/postgres/schema.js'
import type { Primary } from './primary.js'

export type Drizzle = PgRemoteDatabase<typeof schema>

/**
 * Drizzle on whatever server is the primary at the time of a query. It has no transactions: a statement
 * may meet another server than the one before.
 */
export function drizzleOn(primary: Primary): Drizzle {
  const names = new Map<string, string>()
  return drizzle(
    async (text, values) => ({
      rows: await primary.do(({ reader }) => reader.rows(text, values, nameOf(text))),
    }),
    { schema },
  )

  /** Of the prepared statement: one for each text. */
  function nameOf(text: string): string {
    let name = names.get(text)
    if (name === undefined) {
      name = hash('sha256', text, 'base64url')
      names.set(text, name)
    }
    return name
  }
}
