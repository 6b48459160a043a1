import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { views } from '../../drizzle/registry.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import { memoryDatabase } from '../support/memory-database.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { versions } from '../support/view-versions.js'

const HIGH = 'high_salary_emps'
const TOP2 = 'top2_by_dept'
const colleagues = [1, 2].map(() => ({ name: 'Ada', salary: 300_000, department: 'x' }))

t.test('a new version has its time, and the other views keep theirs', async (t) => {
  const client = memoryDatabase(t)
  await bulkLoad(client, colleagues)
  forget(client)
  client.exec("INSERT INTO employees (name, salary, department) VALUES ('Tom', 200000, 'x')")
  const changes = changesOf(client)
  t.equal(changes.get(TOP2), 0)
  isNow(t, changes.get(HIGH))
})

t.test('a bulk load changes every view', async (t) => {
  const client = memoryDatabase(t)
  forget(client)
  await bulkLoad(client, colleagues)
  t.ok(views.length >= 2)
  for (const { name } of views) isNow(t, changesOf(client).get(name))
})

t.test('the migration of a further view says nothing of times', async (t) => {
  const client = memoryDatabase(t)
  client.exec("INSERT INTO view_versions (view, version) VALUES ('payroll', 'first')")
  isNow(t, changesOf(client).get('payroll'))
  forget(client)
  client.exec("UPDATE view_versions SET version = 'second' WHERE view = 'payroll'")
  isNow(t, changesOf(client).get('payroll'))
})

t.test(
  'an older database gets new versions with its new definitions, and the triggers find them',
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
    const before = versions(older)
    t.equal(Object.keys(before).length, 2)
    older.close()

    const { $client: client } = openSqlite(`file:${path}`)
    t.teardown(() => client.close())
    const defined = versions(client)
    for (const view of [HIGH, TOP2]) t.not(defined[view], before[view])
    for (const { name } of views) isNow(t, changesOf(client).get(name))
    client.exec("INSERT INTO employees (name, salary, department) VALUES ('Tom', 1, 'x')")
    t.equal(versions(client)[HIGH], defined[HIGH])
    t.not(versions(client)[TOP2], defined[TOP2])
  },
)

function forget(client: Sqlite.Database): void {
  client.exec('UPDATE view_versions SET changed_at = 0')
}

function changesOf(client: Sqlite.Database): Map<string, number> {
  const select = client.prepare('SELECT view, changed_at FROM view_versions')
  return new Map(select.raw().all() as [string, number][])
}

/** Within a minute: machines are slow, and clocks in steps. */
function isNow(t: Test, time: number | undefined): void {
  t.ok(Math.abs((time ?? 0) - Date.now() / 1000) < 60, `${time}`)
}
