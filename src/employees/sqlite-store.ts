import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import { employees } from '../../drizzle/schema.js'
import { asDatabaseError } from '../database/errors.js'
import { type Batch, GroupCommit } from '../database/group-commit.js'
import { Snapshots } from '../database/snapshots.js'
import type { Database } from '../database/sqlite.js'
import { IdempotencyKeys } from './idempotency-keys.js'
import { JsonArrayStream, ViewStream } from './json-array-stream.js'
import type { EmployeeStore } from './store.js'
import { keepSweeping } from './sweeping.js'

const COLUMNS = 'id, name, salary, department'
const VERSION = 'SELECT version FROM view_versions WHERE view = ?'
const CHANGES = 'SELECT view, changed_at AS changedAt FROM view_versions ORDER BY view'

export interface SqliteStoreOptions {
  /** Called for each transaction of writes, before they are answered. */
  onBatch?: (batch: Batch) => void
  /** How often old idempotency keys are looked for. */
  sweepEveryMs?: number
}

/** An {@link EmployeeStore} that tells how it is doing. */
export interface SqliteStore extends EmployeeStore {
  figures(): {
    writesWaiting: number
    readers: { open: number; idle: number; limit: number }
    /** When each cached view last got a new version; none while the database cannot tell. */
    viewChanges(): ViewChange[]
  }
}

interface ViewChange {
  view: string
  /** Unix time in seconds. */
  changedAt: number
}

/** Employees in SQLite. Every statement on them stands here or in a migration. */
export function createSqliteStore(
  db: Database,
  { onBatch, sweepEveryMs = 60_000 }: SqliteStoreOptions = {},
): SqliteStore {
  const client = db.$client
  const statements = prepare(db)
  // The probe in front of every cached answer: the bare driver, without Drizzle's mapping of rows.
  const probe = client.prepare(VERSION).pluck()
  const changes = client.prepare<[], ViewChange>(CHANGES)
  const snapshots = new Snapshots(client)
  const listeners: (() => void)[] = []
  const commits = new GroupCommit(client, {
    onBatch(batch) {
      for (const listener of listeners) listener()
      onBatch?.(batch)
    },
  })
  const keys = new IdempotencyKeys(client)
  const stopSweeping = keepSweeping(keys, commits, sweepEveryMs)

  return {
    async create(employee, once) {
      const insert = () => statements.insert.get(employee)
      return commits.run(once ? () => keys.once(once, employee, insert) : insert)
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
      return commits.run(() => {
        const current = statements.select.get({ id })
        if (!current) return undefined
        check?.(current)
        const changed = { ...current, ...patch }
        statements.update.run(changed)
        return changed
      })
    },

    async delete(id, check) {
      return commits.run(() => {
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
      const page = rows.slice(0, limit)
      return rows.length > limit ? { employees: page, next: page.at(-1)?.id } : { employees: page }
    },

    async list({ after = 0, department }) {
      const snapshot = attempt(() => snapshots.open())
      const rows =
        department === undefined
          ? snapshot.rows(`SELECT ${COLUMNS} FROM employees WHERE id > ? ORDER BY id`, after)
          : snapshot.rows(
              `SELECT ${COLUMNS} FROM employees WHERE department = ? AND id > ? ORDER BY id`,
              department,
              after,
            )
      return new JsonArrayStream(rows, snapshot.close)
    },

    version(view) {
      return known(
        view,
        attempt(() => probe.get(view)),
      )
    },

    async view(view) {
      const snapshot = attempt(() => snapshots.open())
      try {
        const [row] = snapshot.rows(VERSION, view) as Iterable<{ version: string } | undefined>
        const version = known(view, row?.version)
        // A name that has a version is the name of a view: nothing else gets into the statement.
        return new ViewStream(version, snapshot.rows(`SELECT * FROM "${view}"`), snapshot.close)
      } catch (error) {
        snapshot.close()
        throw asDatabaseError(error)
      }
    },

    onCommit(listener) {
      listeners.push(listener)
    },

    async ping() {
      attempt(() => statements.select.get({ id: 1 }))
    },

    figures() {
      return { writesWaiting: commits.waiting, readers: snapshots.figures, viewChanges }
    },

    close() {
      stopSweeping()
      commits.close()
      snapshots.close()
    },
  }

  /** Figures must not fall silent with the database. */
  function viewChanges() {
    try {
      return changes.all()
    } catch {
      return []
    }
  }
}

/** Drizzle builds the text of a query at every call, which costs more than running it: build once. */
function prepare(db: Database) {
  const { id, department } = employees
  const given = (field: string) => sql.placeholder(field)
  const one = eq(id, given('id'))
  const pageOf = (where: SQL | undefined) =>
    db.select().from(employees).where(where).orderBy(asc(id)).limit(given('limit')).prepare()
  return {
    insert: db
      .insert(employees)
      .values({ name: given('name'), salary: given('salary'), department: given('department') })
      .returning()
      .prepare(),
    select: db.select().from(employees).where(one).prepare(),
    update: db
      .update(employees)
      .set({
        name: sql`${given('name')}`,
        salary: sql`${given('salary')}`,
        department: sql`${given('department')}`,
      })
      .where(one)
      .prepare(),
    delete: db.delete(employees).where(one).prepare(),
    page: pageOf(gt(id, given('after'))),
    pageOfDepartment: pageOf(and(eq(department, given('department')), gt(id, given('after')))),
  }
}

function known(view: string, version: unknown): string {
  if (typeof version !== 'string') {
    throw new Error(`view_versions has no row for ${view}: a migration must insert it`)
  }
  return version
}

/** Runs a read; what only the moment forbids becomes a 503. */
function attempt<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw asDatabaseError(error)
  }
}
