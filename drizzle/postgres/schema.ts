import {
  bigint,
  customType,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
} from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const moment = (name: string) => timestamp(name, { withTimezone: true }).notNull().defaultNow()

/**
 * The tables as the queries see them. The migrations beside this file are their definition: checks,
 * indexes and triggers included.
 */
export const employees = pgTable('employees', {
  id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  name: text().notNull(),
  salary: doublePrecision().notNull(),
  department: text().notNull(),
})

/** One random token for each cached view, replaced whenever what the view shows changes. */
export const viewVersions = pgTable('view_versions', {
  view: text().primaryKey(),
  version: text().notNull(),
  changedAt: moment('changed_at'),
  definition: text().notNull(),
  madeAs: text('made_as').notNull(),
  /** Counts the versions. */
  number: bigint({ mode: 'number' }).notNull(),
  /** How many of the last versions are in {@link viewChanges}. */
  links: integer().notNull(),
})

/** What changed of a view by each of its last versions. */
export const viewChanges = pgTable('view_changes', {
  view: text().notNull(),
  slot: integer().notNull(),
  number: bigint({ mode: 'number' }).notNull(),
  version: text().notNull(),
  parts: jsonb(),
})

/** The definitions that releases over this database have. */
export const viewDefinitions = pgTable('view_definitions', {
  view: text().notNull(),
  definition: text().notNull(),
  seenAt: moment('seen_at'),
})

/** What only processes over this database know. */
export const secrets = pgTable('secrets', { name: text().primaryKey(), value: bytea().notNull() })

/** What a client that sends a request again is answered by, for a day. */
export const idempotencyKeys = pgTable('idempotency_keys', {
  client: text().notNull(),
  key: bytea().notNull(),
  bodyHash: bytea('body_hash').notNull(),
  employeeId: bigint('employee_id', { mode: 'number' }).notNull(),
  createdAt: moment('created_at'),
  number: bigint({ mode: 'number' }).notNull(),
})
