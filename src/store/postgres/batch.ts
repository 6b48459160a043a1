import { DatabaseError } from 'pg'
import { commit, type Statement } from './commit.js'
import type { Connection } from './connection.js'
import { WRITERS_LOCK } from './dialect.js'
import type { IdempotencyKeys } from './idempotency-keys.js'
import {
  Changes,
  type Employee,
  type Operation,
  type Outcome,
  perform,
  rowsOf,
} from './operations.js'

/**
 * Writes of several requests in one transaction, in two round trips whatever their number: the first takes
 * the writers' lock and reads all that they need; then they are done in their order, here; the second
 * writes what has changed, by an array for each column, and commits.
 */
export class Batch {
  readonly #connection: Connection
  readonly #operations: readonly Operation[]
  readonly #keys: IdempotencyKeys
  /** Whether a commit was sent that was not answered. */
  isCommitting = false

  constructor(connection: Connection, operations: readonly Operation[], keys: IdempotencyKeys) {
    this.#connection = connection
    this.#operations = operations
    this.#keys = keys
  }

  /**
   * @param lockMs how long it may wait for a lock, in milliseconds
   * @returns what became of each operation, and whether that stands for itself: a commit that wrote
   *   nothing is confirmed by nobody
   * @throws {OutcomeUnknown} or, if nothing was written, what the server says, or {ConnectionLost}
   */
  async run(lockMs: number): Promise<{ outcomes: Outcome[]; isProven: boolean }> {
    const { rows, ids, known } = await this.#read(lockMs)
    const changes = new Changes(this.#keys.changes(known))
    const outcomes = perform(this.#operations, rows, ids, changes)
    const statements = [...statementsOf(changes), ...changes.keys.statements()]
    this.isCommitting = statements.length > 0
    await commit(this.#connection, statements)
    this.isCommitting = false
    return { outcomes, isProven: statements.length > 0 }
  }

  /** Ends what a failed {@link run} has begun. */
  async undo(): Promise<void> {
    await this.#connection.query('ROLLBACK')
  }

  async #read(lockMs: number) {
    const connection = this.#connection
    const ids = this.#operations.flatMap((each) => (each.what === 'create' ? [] : [each.id]))
    const creating = this.#operations.filter(({ what }) => what === 'create')
    const creates = creating.reduce((sum, each) => sum + rowsOf(each), 0)
    const scopes = this.#operations.flatMap((each) =>
      each.what === 'create' && each.keyed ? [each.keyed] : [],
    )
    const [, , found, numbers, known] = await Promise.all([
      connection.query(begin(lockMs)),
      connection.query(LOCK, [], 'lock'),
      ids.length > 0 ? connection.query<Employee>(FIND, [ids], 'find') : undefined,
      creates > 0 ? connection.query<{ id: number }>(NUMBER, [creates], 'number') : undefined,
      scopes.length > 0 ? this.#keys.find(connection, scopes) : undefined,
    ])
    return {
      rows: new Map((found?.rows ?? []).map((row) => [row.id, row])),
      ids: (numbers?.rows ?? []).map(({ id }) => id).sort((one, other) => one - other),
      known,
    }
  }
}

/** Whether a new employee met somebody whose id was given by hand. */
export function isIdTaken(error: unknown): boolean {
  return error instanceof DatabaseError && error.constraint === 'employees_pkey'
}

/** Goes on with ids behind all that there are. */
export async function skipTakenIds(connection: Connection): Promise<void> {
  try {
    await connection.query(SKIP)
  } catch (error) {
    await connection.query('ROLLBACK')
    throw error
  }
}

// The table first, as every statement that somebody writes by hand takes them: TRUNCATE would be in the
// way of who has the other one, and each wait for the other.
const begin = (lockMs: number) =>
  `BEGIN; SET LOCAL lock_timeout = ${Math.ceil(lockMs)}; LOCK TABLE employees IN ROW EXCLUSIVE MODE`
// Under the lock, behind which nobody takes an id: else it would go back behind those of others.
const SKIP = `BEGIN;
  SELECT pg_advisory_xact_lock(${WRITERS_LOCK});
  SELECT setval('employees_id_seq', greatest((SELECT max(id) FROM employees), last_value)) FROM employees_id_seq;
  COMMIT`
const LOCK = `SELECT pg_advisory_xact_lock(${WRITERS_LOCK})`
const FIND = 'SELECT id, name, salary, department FROM employees WHERE id = ANY ($1::bigint[])'
const NUMBER = `SELECT nextval('employees_id_seq') AS id
  FROM generate_series(1, $1::int)`
const ROWS = `unnest($1::bigint[], $2::text[], $3::double precision[], $4::text[])
  AS given (id, name, salary, department)`
const INSERT = `INSERT INTO employees (id, name, salary, department) SELECT * FROM ${ROWS}`
const UPDATE = `UPDATE employees
  SET name = given.name, salary = given.salary, department = given.department
  FROM ${ROWS} WHERE employees.id = given.id`
const DELETE = 'DELETE FROM employees WHERE id = ANY ($1::bigint[])'

function statementsOf({ inserted, updated, deleted }: Changes): Statement[] {
  const statements: Statement[] = []
  if (deleted.length > 0) statements.push([DELETE, [deleted], 'delete'])
  if (updated.length > 0) statements.push([UPDATE, columnsOf(updated), 'update'])
  if (inserted.length > 0) statements.push([INSERT, columnsOf(inserted), 'insert'])
  return statements
}

/** Rows as the arrays of {@link ROWS}. */
function columnsOf(rows: readonly Employee[]): unknown[][] {
  return [
    rows.map(({ id }) => id),
    rows.map(({ name }) => name),
    rows.map(({ salary }) => salary),
    rows.map(({ department }) => department),
  ]
}
