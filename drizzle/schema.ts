import { index, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'

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
  ],
)

/** One random token for each cached view, replaced whenever what the view shows changes. */
export const viewVersions = sqliteTable('view_versions', {
  view: text().primaryKey(),
  version: text().notNull(),
})
