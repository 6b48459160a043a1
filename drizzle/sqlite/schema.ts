import { sql } from 'drizzle-orm'
import { blob, index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/**
 * The tables as the queries see them. The migrations beside this file are their definition: checks,
 * triggers and views included, which Drizzle cannot express.
 */
export const employees = sqliteTable(
  'employees',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    name: text().notNull(),
    salary: real().notNull(),
    department: text().notNull(),
  },
  (table) => [
    index('employees_by_department').on(table.department),
    index('employees_by_department_salary').on(table.department, table.salary),
    index('employees_by_salary').on(table.salary),
    index('employees_by_name').on(table.name),
  ],
)

/** One random token for each cached view, replaced whenever what the view shows changes. */
export const viewVersions = sqliteTable('view_versions', {
  view: text().primaryKey(),
  version: text().notNull(),
  /** When it was replaced: Unix time in seconds, kept by a trigger. */
  changedAt: real('changed_at').notNull(),
  /** Counts the versions. */
  number: integer().notNull(),
  /** How many of the last versions are in {@link viewChanges}. */
  links: integer().notNull(),
})

/** What changed of a view by each of its last versions. */
export const viewChanges = sqliteTable(
  'view_changes',
  {
    view: text().notNull(),
    slot: integer().notNull(),
    number: integer().notNull(),
    version: text().notNull(),
    part: text(),
    partBefore: text('part_before'),
  },
  (table) => [primaryKey({ columns: [table.view, table.slot] })],
)

/** What a client that sends a request again is answered by, for a day. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    client: text().notNull(),
    /** A hash; text: the key itself, of a release before it was hashed. */
    key: blob({ mode: 'buffer' }).notNull(),
    bodyHash: blob('body_hash', { mode: 'buffer' }).notNull(),
    employeeId: integer('employee_id').notNull(),
    createdAt: integer('created_at').notNull().default(sql`(unixepoch())`),
    /** Counts on with each key of the client. */
    number: integer(),
  },
  (table) => [
    primaryKey({ columns: [table.client, table.key] }),
    index('idempotency_keys_by_age').on(table.createdAt),
    index('idempotency_keys_by_number').on(table.client, table.number),
  ],
)
