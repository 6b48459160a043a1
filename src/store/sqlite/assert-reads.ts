import Sqlite from 'better-sqlite3'
import { assertShows, type GeneratedView } from '../views/generate.js'

/**
 * Proves that a view reads no more than its definition says, since nothing else gives it a new version:
 * its query must be possible on a table that has nothing but those columns, and show the same there.
 * And that it can be divided as its definition says.
 *
 * @param client of the database whose table it is
 * @throws {TypeError} that says what the query reads besides, or that it does not show what divides it
 */
export function assertReads(
  client: Sqlite.Database,
  { name, sql, reads, parts }: GeneratedView,
): void {
  const bare = new Sqlite(':memory:')
  try {
    bare.exec(`CREATE TABLE employees (${reads.join(', ')})`)
    const indexes = client
      .prepare<[], string>(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = 'employees' AND type = 'index' AND sql IS NOT NULL",
      )
      .pluck()
    for (const index of indexes.all()) {
      // One on other columns can be of no use to this view.
      if (isPossible(bare, index)) bare.exec(index)
    }
    const shown = columnsOf(bare, sql)
    const all = columnsOf(client, sql)
    const more = all.filter((column) => !shown.includes(column))
    if (more.length > 0) throw new TypeError(`it shows ${more}`)
  } catch (error) {
    const { message } = error as Error
    throw new TypeError(
      `The view ${name} reads more than the columns of employees that its definition lists (${reads.join(', ')}), ` +
        `so it would not be told of every change: ${message}`,
      { cause: error },
    )
  } finally {
    bare.close()
  }
  if (!parts) return
  assertShows(name, parts.by, columnsOf(client, sql))
  client.prepare(parts.sql)
}

function columnsOf(client: Sqlite.Database, sql: string): string[] {
  return client
    .prepare(sql)
    .columns()
    .map(({ name }) => name)
}

function isPossible(client: Sqlite.Database, sql: string): boolean {
  try {
    client.prepare(sql)
    return true
  } catch {
    return false
  }
}
