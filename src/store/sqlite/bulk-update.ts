import type { Database as Client } from 'better-sqlite3'
import type { Ambiguous, Changes, Key, LinedEmployee } from '../bulk.js'

/** How much of what is staged may be in memory, in KiB. */
const CACHE_KIB = 64 * 1024

/**
 * Brings very many employees up to date, in bounded memory: rows are staged in a temporary table, which
 * SQLite keeps in a file that has no name for anybody to open; then one transaction finds the employee of
 * each row by its key, and writes what is different. There is no index on names: one pass over the
 * employees looks each of them up among the rows, instead of the other way around.
 */
export class BulkUpdate {
  readonly #client: Client
  readonly #key: Key
  readonly #statements: ReturnType<typeof prepare>

  /** @param client on which nobody else begins anything before {@link end} */
  constructor(client: Client, key: Key) {
    this.#client = client
    this.#key = key
    client.exec(`
      PRAGMA temp.cache_size = -${CACHE_KIB};
      CREATE TEMP TABLE staged (
        line integer PRIMARY KEY, name text, salary real, department text, UNIQUE (${key.join(', ')})
      );
      CREATE TEMP TABLE matches (line integer PRIMARY KEY, id integer, employees integer);`)
    this.#statements = prepare(client, key)
    // Of the temporary tables alone: it locks nobody out.
    client.exec('BEGIN')
  }

  /**
   * Stages a row, unless an earlier one has the same key.
   *
   * @returns the line of that one
   */
  stage(row: LinedEmployee): number | undefined {
    if (this.#statements.stage.run(row).changes > 0) return undefined
    return this.#statements.earlier.get(row)
  }

  /**
   * Ends the staging and begins the transaction that writes.
   *
   * @throws SQLite's error while somebody else writes; it can be tried again
   */
  begin(): void {
    this.end(true)
    this.#client.exec('BEGIN IMMEDIATE')
  }

  /** Finds the employees of the rows, and gives the rows that have several. */
  match(): Iterable<Ambiguous> {
    const on = this.#key.map((field) => `staged.${field} = employees.${field}`).join(' AND ')
    this.#client.exec(`
      INSERT INTO matches (line, id, employees)
      SELECT line, id, 1 FROM employees CROSS JOIN staged ON ${on} WHERE true ORDER BY id
      ON CONFLICT (line) DO UPDATE SET employees = employees + 1`)
    return this.#statements.ambiguous.iterate()
  }

  /**
   * Writes the next rows behind a line. A row that changes nothing is not written: no trigger fires, and
   * no page of the database changes.
   *
   * @returns the last line that was done; undefined if there was none
   */
  write(after: number, limit: number, changes: Changes): number | undefined {
    const { next, insert, update } = this.#statements
    let last: number | undefined
    for (const { id, ...row } of next.all(after, limit)) {
      last = row.line
      if (id === null) {
        insert.run(row)
        changes.created++
      } else if (update.run({ ...row, id }).changes > 0) {
        changes.updated++
      } else {
        changes.unchanged++
      }
    }
    return last
  }

  /** Ends the transaction that is open, if there is one, and keeps what it wrote, or nothing of it. */
  end(isKept: boolean): void {
    // A full disk may have ended it already.
    if (this.#client.inTransaction) this.#client.exec(isKept ? 'COMMIT' : 'ROLLBACK')
  }
}

function prepare(client: Client, key: Key) {
  const same = key.map((field) => `${field} = @${field}`).join(' AND ')
  return {
    stage: client.prepare<LinedEmployee>(
      'INSERT OR IGNORE INTO staged VALUES (@line, @name, @salary, @department)',
    ),
    earlier: client.prepare<LinedEmployee, number>(`SELECT line FROM staged WHERE ${same}`).pluck(),
    ambiguous: client.prepare<[], Ambiguous>(
      'SELECT line, employees, id AS first FROM matches WHERE employees > 1 ORDER BY line',
    ),
    next: client.prepare<[number, number], LinedEmployee & { id: number | null }>(
      `SELECT line, name, salary, department, id FROM staged LEFT JOIN matches USING (line)
       WHERE line > ? ORDER BY line LIMIT ?`,
    ),
    insert: client.prepare<LinedEmployee>(
      'INSERT INTO employees (name, salary, department) VALUES (@name, @salary, @department)',
    ),
    update: client.prepare<LinedEmployee & { id: number }>(
      `UPDATE employees SET name = @name, salary = @salary, department = @department
       WHERE id = @id AND (name, salary, department) IS NOT (@name, @salary, @department)`,
    ),
  }
}
