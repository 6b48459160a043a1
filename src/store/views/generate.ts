import { hash } from 'node:crypto'
import type { Dialect, Parts, View } from '../../../drizzle/define-view.js'

/** Something in the schema of a database, by the statement that makes it. */
export interface SchemaObject {
  type: 'view' | 'trigger' | 'function'
  name: string
  sql: string
}

/** What a database must hold for a view to be never stale. */
export interface GeneratedView {
  name: string
  /** The query, in the database's dialect. */
  sql: string
  /** The columns of `employees` that it may read. */
  reads: readonly string[]
  objects: SchemaObject[]
  /** How it is divided, and the query of one part, of which `part` is the parameter. */
  parts: (Pick<Parts, 'by' | 'size'> & { sql: string }) | undefined
  /** Another one for every other definition, and for every other way to generate from it: SHA-256. */
  hash: string
}

/** How a database says what a definition means. */
export interface ViewDialect {
  name: Dialect
  /** The view, and the triggers that give it a new version inside the transaction that changes it. */
  objects(view: View): SchemaObject[]
  /** A parameter for the value of a part. */
  part(view: View): string
}

/** Generates from its definition alone everything that keeps a view fresh. */
export function generate(view: View, dialect: ViewDialect): GeneratedView {
  const objects = dialect.objects(view)
  const partSql = view.partSql(dialect.part(view), dialect.name)
  const { parts } = view.definition
  return {
    name: view.name,
    sql: view.sql(dialect.name),
    reads: view.definition.reads,
    objects,
    parts: parts && partSql !== undefined ? { ...parts, sql: partSql } : undefined,
    hash: hash('sha256', JSON.stringify([objects, partSql])),
  }
}

/**
 * Sees to it that a view can be divided as its definition says.
 *
 * @throws {TypeError} if it does not show the column that its rows are divided by
 */
export function assertShows(view: string, by: string, columns: readonly string[]): void {
  if (columns.includes(by)) return
  throw new TypeError(
    `The view ${view} has parts by ${by}, which it does not show (${columns.join(', ')})`,
  )
}
