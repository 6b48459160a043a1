import { and, asc, eq, gt, type Placeholder, type Query, type SQL, sql } from 'drizzle-orm'
import { employees } from '../../../drizzle/sqlite/schema.js'
import type { StoreOptions } from '../database.js'
import { bodyHash, bodyHashOfAll, firstOf, numbered } from '../idempotency-digests.js'
import { JsonArrayStream } from '../json-array-stream.js'
import { PageStatements, sortedPage } from '../pages.js'
import { repeat } from '../repeat.js'
import type {
  Batch,
  Employee,
  EmployeeImport,
  EmployeeStore,
  KeyedRequest,
  NewEmployee,
  Store,
} from '../store.js'
import { asDatabaseError, attempt } from './errors.js'
import { GroupCommit } from './group-commit.js'
import { IdempotencyKeys } from './idempotency-keys.js'
import { type LIMITS as ImportLimits, MemoryImport, SqliteImport } from './import.js'
import type { Drizzle, SqliteOptions } from './open.js'
import { registeredViews } from './registered-views.js'
import { type LIMITS as SnapshotLimits, Snapshots } from './snapshots.js'
import { Statement } from './statement.js'
import { keepSweeping } from './sweeping.js'
import { ViewKeeper } from './view-keeper.js'
import { viewStore } from './view-store.js'
import { LIMITS as LOG_LIMITS, WriteAheadLog } from './write-ahead-log.js'

const COLUMNS = 'id, name, salary, department'

/**
 * In front of each parameter: by it no value counts for a plan. SQLite prepares a statement anew, from its text, at
 * each call in which a bare one may differ that is a LIMIT or is compared with a column, where there are indexes of
 * a part of the rows (https://sqlite.org/c3ref/prepare.html): more than half of what a page takes.
 */
const PLUS = '+'

export interface SqliteStoreOptions extends StoreOptions, Pick<SqliteOptions, 'views'> {
  /** How often old idempotency keys are looked for. */
  sweepEveryMs?: number
  /** How often views and triggers are compared with their definitions. */
  keepViewsEveryMs?: number
  /** For tests that reach them. */
  limits?: {
    snapshots?: Partial<typeof SnapshotLimits>
    log?: Partial<typeof LOG_LIMITS>
    imports?: Partial<typeof ImportLimits>
    /** Of each client, within 24 hours. */
    idempotencyKeys?: number
  }
}

/** Employees in SQLite. Every statement on them stands here, in a bulk file or in a migration. */
export function createSqliteStore(
  db: Drizzle,
  { onBatch, sweepEveryMs = 60_000, limits, ...options }: SqliteStoreOptions = {},
): Store {
  const client = db.$client
  const snapshots = new Snapshots(client, limits?.snapshots)
  const log = new WriteAheadLog(client, snapshots, limits?.log)
  const listeners: (() => void)[] = []
  const committed = (batch: Batch) => {
    for (const listener of listeners) listener()
    onBatch?.(batch)
    log.check()
  }
  const commits = new GroupCommit(client, { onBatch: committed })
  const keys = new IdempotencyKeys(client, limits?.idempotencyKeys)
  const stopSweeping = keepSweeping(keys, commits, sweepEveryMs)
  const stopKeeping = keepViews(client, commits, options)
  const stopChecking = repeat(limits?.log?.everyMs ?? LOG_LIMITS.everyMs, async () => log.check())

  return {
    employees: employeeStore(db, commits, keys, snapshots, {
      onCommit: (listener) => listeners.push(listener),
      import: (signal) =>
        new SqliteImport(client.name, signal, {
          quota: limits?.idempotencyKeys,
          onBatch: committed,
          limits: limits?.imports,
        }),
    }),
    views: viewStore(client, snapshots, options.views ?? registeredViews),
    stats: () => ({ writesWaiting: commits.waiting, readers: snapshots.stats }),
    async close() {
      stopSweeping()
      stopKeeping()
      stopChecking()
      commits.close()
      snapshots.close()
    },
  }
}

function employeeStore(
  db: Drizzle,
  commits: GroupCommit,
  keys: IdempotencyKeys,
  snapshots: Snapshots,
  own: Pick<EmployeeStore, 'onCommit'> & { import: (signal: AbortSignal) => EmployeeImport },
): EmployeeStore {
  const statements = prepare(db)
  const pages = new PageStatements({ place: () => `${PLUS}?`, seeksPairs: false }, ({ text }) =>
    db.$client.prepare<unknown[], Employee & { total?: number }>(text),
  )
  const insert = (employee: NewEmployee) => statements.insert.get(employee) as Employee
  const insertAll = (employees: readonly NewEmployee[]) => employees.map(insert)
  const insertOnce = (employees: readonly NewEmployee[], request: KeyedRequest) =>
    numbered(
      keys.once(request, () => firstOf(insertAll(employees).map(({ id }) => id))),
      employees,
    )
  return {
    async create(employee, scope) {
      if (!scope) return commits.runOne(() => insert(employee))
      const request = { ...scope, body: bodyHash(employee) }
      return commits.run(() => insertOnce([employee], request)[0] as Employee)
    },

    async createAll(employees, scope) {
      const request = scope && { ...scope, body: bodyHashOfAll(employees) }
      const work = () => (request ? insertOnce(employees, request) : insertAll(employees))
      return commits.run(work, employees.length)
    },

    async import(signal) {
      if (!db.$client.memory) return attempt(() => own.import(signal))
      return new MemoryImport((staged, request) => {
        const create = () => firstOf(insertAll(staged).map(({ id }) => id))
        return commits.run(() => (request ? keys.once(request, create) : create()))
      })
    },

    async createMany(batch) {
      await commits.run(() => {
        for (const employee of batch) statements.insert.run(employee)
      })
    },

    async get(id) {
      return attempt(() => statements.select.get({ id }))
    },

    async update(id, patch, check) {
      return commits.runOne(() => {
        const current = statements.select.get({ id })
        if (!current) return undefined
        check?.(current)
        const changed = { ...current, ...patch }
        statements.update.run(changed)
        return changed
      })
    },

    async delete(id, check) {
      return commits.runOne(() => {
        const current = statements.select.get({ id })
        if (!current) return false
        check?.(current)
        statements.delete.run({ id })
        return true
      })
    },

    async page({ limit, after = 0, department }) {
      // One more than was asked for tells whether anything is behind this page.
      const query = { after, limit: limit + 1 }
      const rows = attempt(() =>
        department === undefined
          ? statements.page.all(query)
          : statements.pageOfDepartment.all({ ...query, department }),
      )
      if (rows.length <= limit) return { employees: rows }
      rows.pop()
      return { employees: rows, next: rows.at(-1)?.id }
    },

    async sortedPage(query) {
      return attempt(() => {
        const { prepared, values } = pages.of(query)
        return sortedPage(prepared.all(...values), query)
      })
    },

    async list({ after = 0, department }) {
      const snapshot = await snapshots.open('list')
      try {
        const rows =
          department === undefined
            ? snapshot.rows(`SELECT ${COLUMNS} FROM employees WHERE id > ? ORDER BY id`, after)
            : snapshot.rows(
                `SELECT ${COLUMNS} FROM employees WHERE department = ? AND id > ? ORDER BY id`,
                department,
                after,
              )
        return new JsonArrayStream(rows)
      } catch (error) {
        snapshot.close()
        throw asDatabaseError(error)
      }
    },

    onCommit: own.onCommit,

    async ping() {
      attempt(() => statements.select.get({ id: 1 }))
    },
  }
}

/** What somebody drops by hand while the service runs is put back, too, and its views read anew. */
function keepViews(
  client: Drizzle['$client'],
  commits: GroupCommit,
  {
    views = registeredViews,
    onViewChange = () => {},
    keepViewsEveryMs = 30_000,
  }: SqliteStoreOptions,
): () => void {
  const keeper = new ViewKeeper(client, views)
  return repeat(keepViewsEveryMs, async () => {
    if (!keeper.isDue()) return
    for (const change of await commits.run(() => keeper.keep())) onViewChange(change)
  })
}

/** Drizzle builds the text of a query at every call, which costs more than running it: build once. */
function prepare(db: Drizzle) {
  const { id, department } = employees
  const given = (field: string) => sql`${sql.raw(PLUS)}${sql.placeholder(field)}`
  const one = eq(id, given('id'))
  const limit = given('limit') as unknown as Placeholder
  const pageOf = (where: SQL | undefined) =>
    db.select().from(employees).where(where).orderBy(asc(id)).limit(limit)
  const statement = <Values extends Record<string, string | number>>(query: { toSQL(): Query }) =>
    new Statement<Employee, Values>(db.$client, query)
  return {
    insert: statement<NewEmployee>(
      db
        .insert(employees)
        .values({ name: given('name'), salary: given('salary'), department: given('department') })
        .returning(),
    ),
    select: statement<Id>(db.select().from(employees).where(one)),
    update: statement<Employee>(
      db
        .update(employees)
        .set({
          name: given('name'),
          salary: given('salary'),
          department: given('department'),
        })
        .where(one),
    ),
    delete: statement<Id>(db.delete(employees).where(one)),
    page: statement<Page>(pageOf(gt(id, given('after')))),
    pageOfDepartment: statement<Page & { department: string }>(
      pageOf(and(eq(department, given('department')), gt(id, given('after')))),
    ),
  }
}
type Id = { id: number }
type Page = { after: number; limit: number }
