import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { createSqliteStore } from '../../../src/store/sqlite/sqlite-store.js'
import { temporaryDirectory } from '../../support/build.js'

const NAME = 'Somebody who left'
const DEPARTMENT = 'What was closed'

t.test('of what was deleted or changed the file has nothing any more', async (t) => {
  const path = join(await temporaryDirectory(t), 'employees.db')
  const db = openSqlite(`file:${path}`)
  const store = createSqliteStore(db)
  t.teardown(() => db.$client.close())
  t.teardown(() => store.close())
  const traces = (of: string) => {
    db.$client.pragma('wal_checkpoint(TRUNCATE)')
    return readFileSync(path).toString('latin1').split(of).length - 1
  }

  // So many that pages become free.
  const ids = Array.from({ length: 500 }, (_, n) => n + 1)
  await store.employees.createMany(
    ids.map((n) => ({ name: `${NAME} ${n}`, salary: 200_000, department: `${DEPARTMENT} ${n}` })),
  )
  t.ok(traces(NAME) >= 500)
  t.ok(traces(DEPARTMENT) >= 500)
  await Promise.all(ids.slice(1).map((id) => store.employees.delete(id)))
  t.ok((db.$client.pragma('freelist_count', { simple: true }) as number) > 0)
  await store.employees.update(1, { name: 'Ada', department: 'Engineering' })
  t.equal(traces(NAME), 0)

  // The last changes of a view say of which department they were.
  for (let salary = 1; salary <= 1024; salary++) store.employees.update(1, { salary })
  await store.employees.update(1, { salary: 0 })
  t.equal(traces(DEPARTMENT), 0)
})
