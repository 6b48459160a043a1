import type { Ambiguous, Changes, Key, LinedEmployee, Repeated, Some, Staging } from '../bulk.js'
import type { CopyIn } from './copy-in.js'
import { LongTransaction } from './long-transaction.js'
import type { Primary } from './primary.js'

/** Changes of so many rows are more than the planner's figures bear, and autovacuum comes late. */
const MANY = 5000

const STAGED = `CREATE TEMP TABLE staged (
  line bigint, name text COLLATE "C", salary double precision, department text COLLATE "C")`

/**
 * Rows that are staged by COPY in a temporary table; then one transaction, which has the writers' lock, does
 * all by a statement of each kind, so that the triggers judge all rows at once.
 */
export class PostgresStaging implements Staging {
  readonly #transaction: LongTransaction
  readonly #key: Key | undefined
  readonly #copy: CopyIn
  #staged: Promise<void> | undefined
  #rows = 0
  #changed = 0

  private constructor(transaction: LongTransaction, key: Key | undefined) {
    this.#transaction = transaction
    this.#key = key
    this.#copy = transaction.copyInto('staged (line, name, salary, department)')
  }

  /** @param key that tells employees apart; each row creates somebody if there is none */
  static async open(
    primary: Primary,
    key: Key | undefined,
    interrupt?: AbortSignal,
  ): Promise<PostgresStaging> {
    const transaction = await LongTransaction.open(primary, interrupt)
    try {
      await transaction.query(STAGED)
      return new PostgresStaging(transaction, key)
    } catch (error) {
      await transaction.close()
      throw error
    }
  }

  add({ line, name, salary, department }: LinedEmployee): Promise<void> | undefined {
    this.#rows++
    return this.#copy.add([line, name, salary, department])
  }

  async repeated(limit: number): Promise<Some<Repeated>> {
    await this.#end()
    if (!this.#key) return { count: 0, first: [] }
    return this.#some<Repeated>(
      `SELECT line, earlier FROM (
         SELECT line, min(line) OVER (PARTITION BY ${this.#key.join(', ')}) AS earlier FROM staged
       ) AS rows WHERE earlier < line`,
      limit,
    )
  }

  async begin(): Promise<void> {
    await this.#end()
    await this.#transaction.begin()
  }

  async ambiguous(limit: number): Promise<Some<Ambiguous>> {
    if (!this.#key) return { count: 0, first: [] }
    await this.#transaction.query(
      `CREATE TEMP TABLE matches AS SELECT line, count(*) AS employees, min(id) AS first
       FROM staged JOIN employees USING (${this.#key.join(', ')}) GROUP BY line`,
    )
    await this.#transaction.query('ANALYZE matches')
    return this.#some<Ambiguous>('SELECT * FROM matches WHERE employees > 1', limit)
  }

  async write(): Promise<Changes> {
    await this.#transaction.query(SKIP_TAKEN_IDS)
    const updated = this.#key ? await this.#count(UPDATE) : 0
    const created = await this.#count(this.#key ? INSERT_NEW : INSERT)
    this.#changed = updated + created
    return { created, updated, unchanged: this.#rows - this.#changed }
  }

  async commit(): Promise<void> {
    await this.#transaction.commit()
    // Who may not, or must wait for it, leaves it to autovacuum.
    if (this.#changed >= MANY) await this.#transaction.query('ANALYZE employees').catch(() => {})
  }

  async close(): Promise<void> {
    await this.#transaction.close()
  }

  #end(): Promise<void> {
    this.#staged ??= this.#endCopy()
    return this.#staged
  }

  async #endCopy(): Promise<void> {
    await this.#copy.end()
    await this.#transaction.query('ANALYZE staged')
  }

  async #count(statement: string): Promise<number> {
    return (await this.#transaction.query(statement)).rowCount ?? 0
  }

  async #some<Row extends object>(query: string, limit: number): Promise<Some<Row>> {
    const { rows } = await this.#transaction.query<Row & { all: number }>(
      `SELECT *, count(*) OVER () AS all FROM (${query}) AS found ORDER BY line LIMIT $1`,
      [limit],
    )
    return { count: rows[0]?.all ?? 0, first: rows }
  }
}

/** Ids that were given by hand. */
const SKIP_TAKEN_IDS = `SELECT setval(sequence, max(id))
  FROM employees, pg_get_serial_sequence('employees', 'id') AS given (sequence)
  GROUP BY sequence HAVING max(id) > coalesce(pg_sequence_last_value(sequence::regclass), 0)`
const INSERT = `INSERT INTO employees (name, salary, department)
  SELECT name, salary, department FROM staged ORDER BY line`
const INSERT_NEW = `INSERT INTO employees (name, salary, department)
  SELECT name, salary, department FROM staged
  WHERE NOT EXISTS (SELECT 1 FROM matches WHERE matches.line = staged.line) ORDER BY line`
const UPDATE = `UPDATE employees
  SET name = staged.name, salary = staged.salary, department = staged.department
  FROM staged JOIN matches USING (line) WHERE employees.id = matches.first
    AND (employees.name, employees.salary, employees.department)
      IS DISTINCT FROM (staged.name, staged.salary, staged.department)`
