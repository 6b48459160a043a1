import { DatabaseUnavailable, ImportTooLong } from '../errors.js'
import type { Batch, EmployeeImport, Imported, KeyedRequest, NewEmployee } from '../store.js'
import type { CopyIn } from './copy-in.js'
import { OutcomeUnknown } from './errors.js'
import type { IdempotencyKeys } from './idempotency-keys.js'
import { LongTransaction } from './long-transaction.js'
import { type Primary, within } from './primary.js'

export const LIMITS = {
  /** How long others' writes may be kept waiting: less than they wait for the lock. */
  writingMs: 800,
  /** How long the server may take to confirm it. */
  commitMs: 5000,
}

interface Options {
  /** Called when it is committed, before it is answered. */
  onBatch: (batch: Batch) => void
  limits?: Partial<typeof LIMITS> | undefined
}

const STAGED = `CREATE TEMP TABLE staged (
  line bigint, name text COLLATE "C", salary double precision, department text COLLATE "C")`
/** Under the writers' lock nobody else takes an id. */
const NEXT_ID = `SELECT 1 + greatest(
    (SELECT coalesce(max(id), 0) FROM employees), last_value - CASE WHEN is_called THEN 0 ELSE 1 END
  ) AS next FROM employees_id_seq`
const INSERT = `INSERT INTO employees (id, name, salary, department)
  SELECT $1::bigint + line, name, salary, department FROM staged ORDER BY line`
const SKIP = "SELECT setval('employees_id_seq', $1::bigint)"

/** Creates very many employees beside a service that goes on: by COPY into a temporary table, and one statement. */
export class PostgresImport implements EmployeeImport {
  readonly #transaction: LongTransaction
  readonly #copy: CopyIn
  readonly #keys: IdempotencyKeys
  readonly #onBatch: Options['onBatch']
  readonly #limits: typeof LIMITS
  #count = 0

  private constructor(
    transaction: LongTransaction,
    keys: IdempotencyKeys,
    { onBatch, limits }: Options,
  ) {
    this.#transaction = transaction
    this.#keys = keys
    this.#onBatch = onBatch
    this.#limits = { ...LIMITS, ...limits }
    this.#copy = transaction.copyInto('staged (line, name, salary, department)')
  }

  /** @throws {DatabaseUnavailable} */
  static async open(
    primary: Primary,
    keys: IdempotencyKeys,
    signal: AbortSignal,
    options: Options,
  ): Promise<PostgresImport> {
    const transaction = await LongTransaction.open(primary, signal)
    try {
      await transaction.query(STAGED)
      return new PostgresImport(transaction, keys, options)
    } catch (error) {
      await transaction.close()
      throw error
    }
  }

  add({ name, salary, department }: NewEmployee): Promise<void> | undefined {
    return this.#copy.add([++this.#count, name, salary, department])
  }

  async commit(request?: KeyedRequest): Promise<Imported> {
    await this.#copy.end()
    await this.#transaction.begin()
    const begun = performance.now()
    const { writingMs, commitMs } = this.#limits
    await this.#transaction.query(`SET LOCAL statement_timeout = ${writingMs}`)
    const first = await this.#write(request)
    await within(commitMs, this.#transaction.commit(), LATE).catch((error) => {
      throw error instanceof DatabaseUnavailable ? new OutcomeUnknown(LATE) : error
    })
    this.#onBatch({ writes: 1, seconds: (performance.now() - begun) / 1000, failed: false })
    return { count: this.#count, first, last: first + this.#count - 1 }
  }

  async close(): Promise<void> {
    await this.#transaction.close()
  }

  /** @returns the first id */
  async #write(request: KeyedRequest | undefined): Promise<number> {
    const known = request && (await this.#keys.find(this.#transaction, [request]))
    const changes = this.#keys.changes(known)
    const { rows } = await this.#transaction.query<{ next: number }>(NEXT_ID)
    const next = rows[0]?.next as number
    let isNew = !request
    const asNew = () => {
      isNew = true
      return next
    }
    const first = request ? changes.once(request, asNew) : next
    if (!isNew) return first
    await this.#insert(first)
    await this.#transaction.query(SKIP, [first + this.#count - 1])
    for (const [text, values] of changes.statements()) await this.#transaction.query(text, values)
    return first
  }

  async #insert(first: number): Promise<void> {
    try {
      await this.#transaction.query(INSERT, [first - 1])
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } }
      throw cause?.code === CANCELED ? new ImportTooLong(this.#limits.writingMs) : error
    }
  }
}

const LATE = 'no answer in time'

/** SQLSTATE of a statement that took longer than it may. */
const CANCELED = '57014'
