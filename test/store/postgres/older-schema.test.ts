import { readFile } from 'node:fs/promises'
import t from 'tap'
import { top2ByDepartment } from '../../../drizzle/views/top2-by-department.js'
import { openPostgres, postgresStore } from '../../support/open-postgres.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { servingRole } from '../../support/serving-role.js'
import { openShell } from '../../support/shell.js'

const FIRST = '0000_employees.sql'

for (const [what, granted] of [
  ['by name', (role: string) => `GRANT SELECT, UPDATE ON view_versions TO ${role}`],
  ['as everybody', () => 'GRANT SELECT, UPDATE ON view_versions TO PUBLIC'],
  [
    'to columns',
    (role: string) =>
      `GRANT SELECT ON view_versions TO ${role}; GRANT UPDATE (version, changed_at) ON view_versions TO ${role}`,
  ],
] as const)
  t.test(
    `who served over a database, ${what}, goes on when its owner has brought it up to date`,
    async (t) => {
      const url = await postgresDatabase(t)
      const shell = await openShell(t, url)
      const migration = new URL(`../../../../drizzle/postgres/${FIRST}`, import.meta.url)
      await shell.run(await readFile(migration, 'utf8'))
      await shell.run(`CREATE TABLE migrations (
    name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`)
      await shell.all('INSERT INTO migrations (name) VALUES (?)', FIRST)
      await shell.run(`INSERT INTO view_versions (view, version, definition, made_as)
    VALUES ('${top2ByDepartment.name}', 'of before', 'of before', '')`)
      const serving = await servingRole(t, url)
      const role = new URL(serving).username
      // What the release of that time has granted.
      await shell.run(`GRANT SELECT, INSERT, UPDATE, DELETE ON employees, idempotency_keys, view_definitions TO ${role};
    ${granted(role)};
    GRANT SELECT ON secrets, migrations TO ${role};
    GRANT SELECT, UPDATE ON SEQUENCE employees_id_seq TO ${role}`)

      await openPostgres(t, url)
      const { store } = await postgresStore(t, {}, serving)
      const since = await store.views.read(top2ByDepartment)
      for await (const _ of since);
      await store.employees.create({ name: 'Ada', salary: 1, department: 'a' })
      const changed = await store.views.readChanges(top2ByDepartment, since, 1)
      t.strictSame(
        changed?.parts.map(([part]) => part),
        ['a'],
      )
    },
  )
