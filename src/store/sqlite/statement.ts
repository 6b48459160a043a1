import type BetterSqlite3 from 'better-sqlite3'
import { is, Param, Placeholder, type Query } from 'drizzle-orm'
import type { Drizzle } from './open.js'

type Value = string | number

/**
 * A query that Drizzle has built, prepared on the driver itself: Drizzle's own preparation maps each row and
 * each value anew, which costs as much as the query. Rows come as the columns are named, which Drizzle's
 * tables here call as SQL does.
 */
export class Statement<Row, Values extends { [name: string]: Value }> {
  readonly #statement: BetterSqlite3.Statement<unknown[], Row>
  readonly #names: string[]

  /** @throws if a value of the query is none of those that are given at each call */
  constructor(client: Drizzle['$client'], query: { toSQL(): Query }) {
    const { sql, params } = query.toSQL()
    this.#statement = client.prepare<unknown[], Row>(sql)
    this.#names = params.map(nameOf)
  }

  get(values: Values): Row | undefined {
    return this.#statement.get(...this.#bind(values))
  }

  all(values: Values): Row[] {
    return this.#statement.all(...this.#bind(values))
  }

  run(values: Values): void {
    this.#statement.run(...this.#bind(values))
  }

  #bind(values: Values): (Value | undefined)[] {
    return this.#names.map((name) => values[name])
  }
}

function nameOf(param: unknown): string {
  const given = is(param, Param) ? param.value : param
  if (is(given, Placeholder)) return given.name as string
  throw new Error('Every value of a prepared statement must be a placeholder')
}
