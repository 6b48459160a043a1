import type { employees } from './sqlite/schema.js'

/** The databases that a definition can be generated for. */
export type Dialect = 'sqlite' | 'postgres'

/** A column of the table `employees`. */
export type Column = keyof typeof employees.$inferSelect

/** SQL that reads the same in every dialect, or a function that writes it for one. */
export type Sql = string | ((dialect: Dialect) => string)

export interface ViewDefinition {
  /** Every column of `employees` that `sql` reads. A change of any other one is no change of the view. */
  reads: readonly Column[]
  /** The query, in a fixed order. */
  sql: Sql
  /**
   * Opts in to exactness: SQL that says whether the view can show anything of a row, by the row's name
   * and the rest of the table. The view gets a new version only when that holds of a row before or
   * after a change of it. Too wide costs a fill; too narrow makes the view stale, and is found by
   * test/views. Without it every change of a column in `reads` counts: coarse, and always right.
   *
   * After an update or a delete the row's old state is no longer in the table, and its new state is:
   * a condition on "the others" must leave out the row's own id.
   */
  matters?: (row: string, dialect: Dialect) => string
}

/** A cached view: what it shows. What makes it fresh is generated from that. */
export class View {
  readonly name: string
  readonly definition: ViewDefinition

  constructor(name: string, definition: ViewDefinition) {
    this.name = name
    this.definition = definition
  }

  /** The query, in a dialect. */
  sql(dialect: Dialect): string {
    const { sql } = this.definition
    return (typeof sql === 'string' ? sql : sql(dialect)).trim()
  }
}

/** Names views, triggers, metrics and keys in Redis; PostgreSQL has room for 63 characters. */
const NAME = /^[a-z][a-z0-9_]{0,49}$/

/**
 * Defines a cached view. A file in `drizzle/views/` that exports one is all that a view needs to be
 * kept fresh; a route shows it.
 *
 * @throws {TypeError} for a name that is none, or no columns
 */
export function defineView(name: string, definition: ViewDefinition): View {
  if (!NAME.test(name)) throw new TypeError(`The view name ${JSON.stringify(name)} is not ${NAME}`)
  if (definition.reads.length === 0) throw new TypeError(`The view ${name} must read a column`)
  return new View(name, definition)
}
