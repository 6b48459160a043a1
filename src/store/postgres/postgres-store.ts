import { eq, sql } from 'drizzle-orm'
import { employees } from '../../../drizzle/postgres/schema.js'
import type { StoreOptions } from '../database.js'
import { unwrapped } from '../errors.js'
import { bodyHash, bodyHashOfAll } from '../idempotency-digests.js'
import { JsonArrayStream } from '../json-array-stream.js'
import { PageStatements, sortedPage } from '../pages.js'
import { repeat } from '../repeat.js'
import type { Batch, Employee, EmployeeStore, PageQuery, SortedPage, Store } from '../store.js'
import type { GeneratedView } from '../views/generate.js'
import { commit, type Statement } from './commit.js'
import type { Connection } from './connection.js'
import type { Drizzle } from './drizzle.js'
import { GroupCommit } from './group-commit.js'
import { IdempotencyKeys } from './idempotency-keys.js'
import { type LIMITS as ImportLimits, PostgresImport } from './import.js'
import { PING_MS, type Primary } from './primary.js'
import { type Query, type LIMITS as SnapshotLimits, Snapshots } from './snapshots.js'
import { VersionTrain } from './version-train.js'
import { viewStore } from './view-store.js'

const COLUMNS = 'id, name, salary, department'
/** Rows in one statement of many: a few megabytes of parameters. */
const ROWS = 10_000

export interface PostgresStoreOptions extends StoreOptions {
  /** The cached views of this release. */
  views: readonly GeneratedView[]
  /** Of the digests of idempotency keys. */
  secret: Buffer
  /** Whether nobody keeps a view fresh, so that nothing of it may be cached. */
  isBroken?: ((view: string) => boolean) | undefined
  /** How old a version may be that an answer is judged by, in milliseconds. */
  maxStalenessMs?: number | undefined
  /** How often old idempotency keys are looked for. */
  sweepEveryMs?: number | undefined
  /** For tests that reach them. */
  limits?: {
    snapshots?: Partial<typeof SnapshotLimits>
    writes?: { batch?: number; waiting?: number; patienceMs?: number }
    imports?: Partial<typeof ImportLimits>
    /** Of each client, within 24 hours. */
    idempotencyKeys?: number
  }
}

/** Employees in PostgreSQL. */
export function createPostgresStore(
  primary: Primary,
  drizzle: Drizzle,
  options: PostgresStoreOptions,
): Store {
  const { secret, onBatch, onProbe, maxStalenessMs, sweepEveryMs = 60_000, limits } = options
  const snapshots = new Snapshots(primary, limits?.snapshots)
  const train = new VersionTrain(primary, maxStalenessMs, onProbe)
  const listeners: (() => void)[] = []
  const keys = new IdempotencyKeys(secret, limits?.idempotencyKeys)
  const committed = (batch: Batch) => {
    // A failed one may have been done all the same.
    train.committed()
    for (const listener of listeners) listener()
    onBatch?.(batch)
  }
  const commits = new GroupCommit(primary, keys, { limits: limits?.writes, onBatch: committed })
  const stopSweeping = repeat(sweepEveryMs, async (signal) => {
    const hasOld = () => primary.do(({ reader }) => keys.hasOld(reader))
    const sweep = () => commits.alone((connection) => keys.sweep(connection))
    while (!signal.aborted && (await hasOld()) && (await sweep()));
  })

  return {
    employees: employeeStore(primary, drizzle, commits, snapshots, {
      onCommit: (listener) => listeners.push(listener),
      import: (signal) =>
        PostgresImport.open(primary, keys, signal, {
          onBatch: committed,
          limits: limits?.imports,
        }),
    }),
    views: viewStore(primary, train, snapshots, options.views, options.isBroken),
    stats: () => ({
      writesWaiting: commits.waiting,
      readers: snapshots.stats,
      server: { ...primary.stats, ...train.stats, retries: commits.retries },
    }),
    async close() {
      stopSweeping()
      commits.close()
      await snapshots.close()
    },
  }
}

function employeeStore(
  primary: Primary,
  drizzle: Drizzle,
  commits: GroupCommit,
  snapshots: Snapshots,
  own: Pick<EmployeeStore, 'onCommit' | 'import'>,
): EmployeeStore {
  const statements = prepare(drizzle)
  let known = 0
  const pages = new PageStatements(
    { place: (position) => `$${position}`, seeksPairs: true },
    ({ text }) => ({ text, name: `sorted page ${known++}` }),
  )
  return {
    async create(employee, scope) {
      const keyed = scope && { ...scope, body: bodyHash(employee) }
      const operation = { what: 'create', employees: [employee], keyed } as const
      return (await commits.run<[Employee]>(operation))[0]
    },

    async createAll(employees, scope) {
      const keyed = scope && { ...scope, body: bodyHashOfAll(employees) }
      return commits.run({ what: 'create', employees, keyed })
    },

    update: (id, patch, check) => commits.run({ what: 'update', id, patch, check }),
    delete: (id, check) => commits.run({ what: 'delete', id, check }),

    createMany: (batch) => commits.alone((connection) => createMany(connection, batch)),

    async get(id) {
      const [employee] = await answered(statements.select.execute({ id }))
      return employee
    },

    async page({ limit, after, department }) {
      const { employees, hasMore } = await page({
        by: 'id',
        isDescending: false,
        limit,
        departments: department === undefined ? [] : [department],
        isCounted: false,
        ...(after !== undefined && { after: { id: after } }),
      })
      return hasMore ? { employees, next: employees.at(-1)?.id } : { employees }
    },

    sortedPage: (query) => (query.isCounted ? countedPage(query) : page(query)),

    async list({ after = 0, department }) {
      const { rows } = await snapshots.open('list', listing(after, department))
      return new JsonArrayStream(rows)
    },

    ...own,

    async ping() {
      await primary.do(({ reader }) => reader.query('SELECT FROM employees LIMIT 1'), PING_MS)
    },
  }

  async function page(query: PageQuery): Promise<SortedPage> {
    const { prepared, values } = pages.of(query)
    const { rows } = await primary.do(({ reader }) =>
      reader.query<Employee>(prepared.text, values, prepared.name),
    )
    return sortedPage(rows, query)
  }

  /** Counting takes long: not in front of others, who wait on the reader for their turn. */
  async function countedPage(query: PageQuery): Promise<SortedPage> {
    const { prepared, values } = pages.of(query)
    const { rows } = await snapshots.open('list', { text: prepared.text, values })
    try {
      return sortedPage((await rows.next(query.limit + 2)) as Employee[], query)
    } finally {
      rows.close()
    }
  }
}

function listing(after: number, department: string | undefined): Query {
  return department === undefined
    ? { text: `SELECT ${COLUMNS} FROM employees WHERE id > $1 ORDER BY id`, values: [after] }
    : {
        text: `SELECT ${COLUMNS} FROM employees WHERE department = $1 AND id > $2 ORDER BY id`,
        values: [department, after],
      }
}

async function createMany(
  connection: Connection,
  batch: Iterable<Omit<Employee, 'id'>>,
): Promise<void> {
  await connection.query('BEGIN')
  let rows: Omit<Employee, 'id'>[] = []
  try {
    for (const row of batch) {
      rows.push(row)
      if (rows.length < ROWS) continue
      await connection.query(...insertion(rows))
      rows = []
    }
    await commit(connection, [insertion(rows)])
  } catch (error) {
    // Which fails where the connection is lost; why, and whether anything was kept, is in the error.
    await connection.query('ROLLBACK').catch(() => {})
    throw error
  }
}

function insertion(rows: Omit<Employee, 'id'>[]): Statement {
  const text = `INSERT INTO employees (name, salary, department)
    SELECT * FROM unnest($1::text[], $2::double precision[], $3::text[])`
  const values = [
    rows.map(({ name }) => name),
    rows.map(({ salary }) => salary),
    rows.map(({ department }) => department),
  ]
  return [text, values, 'insert many']
}

/** A query of Drizzle, which fails with what the database says. */
async function answered<T>(query: Promise<T>): Promise<T> {
  try {
    return await query
  } catch (error) {
    throw unwrapped(error)
  }
}

/** Drizzle builds the text of a query at every call, which costs more than running it: build once. */
function prepare(db: Drizzle) {
  return {
    select: db
      .select()
      .from(employees)
      .where(eq(employees.id, sql.placeholder('id')))
      .prepare('employee'),
  }
}
