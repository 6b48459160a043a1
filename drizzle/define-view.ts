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
   * test/cache/views.property.test.ts. Without it every change of a column in `reads` counts: coarse, and
   * always right.
   *
   * After an update or a delete the row's old state is no longer in the table, and its new state is:
   * a condition on "the others" must leave out the row's own id.
   */
  matters?: (row: string, dialect: Dialect) => string
  /**
   * Opts in to misses that cost what changed: what the view is made of. Its rows are ordered by their
   * part first, and a change of an employee changes no other part than that which the employee was in
   * before, and is in now. Whoever has an older answer reads only the parts that changed since.
   */
  parts?: Parts
}

/** How a view is divided: by a column that it shows, and reads. */
export interface Parts {
  /** Rows of one value of this column are a part; their order by it is ascending, text by its bytes. */
  by: Column
  /** Of parts by id: so many ids are one, from a multiple of that on. */
  size?: number
  /**
   * The rows of one part as `sql` has them, where picking them from `sql` is too slow.
   *
   * @param part stands for the value of the part
   */
  sql?: (part: string, dialect: Dialect) => string
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

  /** SQL for the part of a row, by the row's name. None for a view without parts. */
  partOf(row: string): string | undefined {
    const { parts } = this.definition
    return parts && `${row}.${parts.by}${parts.size === undefined ? '' : ` / ${parts.size}`}`
  }

  /** The query of one part, in a dialect; `part` stands for its value. None for a view without parts. */
  partSql(part: string, dialect: Dialect): string | undefined {
    const { parts } = this.definition
    if (!parts) return undefined
    const { by, size, sql } = parts
    if (sql) return sql(part, dialect).trim()
    const which =
      size === undefined
        ? `${by} = ${part}`
        : `${by} >= ${part} * ${size} AND ${by} < (${part} + 1) * ${size}`
    return `SELECT * FROM (${this.sql(dialect)}) AS whole WHERE ${which}`
  }
}

/** Names views, triggers, metrics and keys in Redis; PostgreSQL has room for 63 characters. */
const NAME = /^[a-z][a-z0-9_]{0,49}$/

/**
 * Defines a cached view. A file in `drizzle/views/` that exports one is all that a view needs to be
 * kept fresh; a route shows it.
 *
 * @throws {TypeError} for a name that is none, no columns, or parts that cannot be
 */
export function defineView(name: string, definition: ViewDefinition): View {
  if (!NAME.test(name)) throw new TypeError(`The view name ${JSON.stringify(name)} is not ${NAME}`)
  const { reads, parts } = definition
  if (reads.length === 0) throw new TypeError(`The view ${name} must read a column`)
  if (parts && !reads.includes(parts.by)) {
    throw new TypeError(`The view ${name} has parts by ${parts.by}, which it does not read`)
  }
  if (
    parts?.size !== undefined &&
    !(parts.by === 'id' && parts.size >= 1 && parts.size % 1 === 0)
  ) {
    throw new TypeError(
      `Only parts by id have a size, a whole number from 1 on: not those of ${name}`,
    )
  }
  return new View(name, definition)
}
