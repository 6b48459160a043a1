import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { views } from '../../drizzle/registry.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import { onSqlite } from '../support/any-database.js'
import { emptyDatabase } from '../support/empty-database.js'
import { memoryDatabase } from '../support/memory-database.js'
import { sqliteShell } from '../support/shell.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { changeTimes, setChangeTimes, versions } from '../support/view-versions.js'

const HIGH = 'high_salary_emps'
const TOP2 = 'top2_by_dept'
const colleagues = [1, 2].map(() => ({ name: 'Ada', salary: 300_000, department: 'x' }))

t.test('a new version has its time, and the other views keep theirs', async (t) => {
  const shell = await emptyDatabase(t)
  await shell.run(`INSERT INTO employees (name, salary, department)
    VALUES ('Ada', 300000, 'x'), ('Ada', 300000, 'x')`)
  await setChangeTimes(shell, 0)
  await shell.run("INSERT INTO employees (name, salary, department) VALUES ('Tom', 200000, 'x')")
  const times = await changeTimes(shell)
  t.equal(times[TOP2], 0)
  isNow(t, times[HIGH])
})

t.test('SQLite: a bulk load changes every view', onSqlite, async (t) => {
  const client = memoryDatabase(t)
  const shell = sqliteShell(client)
  await setChangeTimes(shell, 0)
  await bulkLoad(client, colleagues)
  t.ok(views.length >= 2)
  const times = await changeTimes(shell)
  for (const { name } of views) isNow(t, times[name])
})

t.test('SQLite: the migration of a further view says nothing of times', onSqlite, async (t) => {
  const shell = await emptyDatabase(t)
  await shell.run("INSERT INTO view_versions (view, version) VALUES ('payroll', 'first')")
  isNow(t, (await changeTimes(shell)).payroll)
  await setChangeTimes(shell, 0)
  await shell.run("UPDATE view_versions SET version = 'second' WHERE view = 'payroll'")
  isNow(t, (await changeTimes(shell)).payroll)
})

t.test(
  'SQLite: an older database gets new versions with its new definitions, and the triggers find them',
  onSqlite,
  async (t) => {
    const path = join(await temporaryDirectory(t), 'employees.db')
    const older = new Sqlite(path)
    older.exec('CREATE TABLE migrations (name text PRIMARY KEY, applied_at text NOT NULL) STRICT')
    for (const name of ['0000_employees', '0001_high_salary_emps', '0002_top2_by_dept']) {
      older.exec(
        readFileSync(new URL(`../../../drizzle/sqlite/${name}.sql`, import.meta.url), 'utf8'),
      )
      older.prepare("INSERT INTO migrations VALUES (?, datetime('now'))").run(`${name}.sql`)
    }
    const before = await versions(sqliteShell(older))
    t.equal(Object.keys(before).length, 2)
    older.close()

    const { $client: client } = openSqlite(`file:${path}`)
    t.teardown(() => client.close())
    const shell = sqliteShell(client)
    const defined = await versions(shell)
    for (const view of [HIGH, TOP2]) t.not(defined[view], before[view])
    const times = await changeTimes(shell)
    for (const { name } of views) isNow(t, times[name])
    client.exec("INSERT INTO employees (name, salary, department) VALUES ('Tom', 1, 'x')")
    const after = await versions(shell)
    t.equal(after[HIGH], defined[HIGH])
    t.not(after[TOP2], defined[TOP2])
  },
)

/** Within a minute: machines are slow, and clocks in steps. */
function isNow(t: Test, time: number | undefined): void {
  t.ok(Math.abs((time ?? 0) - Date.now() / 1000) < 60, `${time}`)
}
