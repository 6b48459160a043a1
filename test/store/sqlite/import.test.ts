import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { createSqliteStore } from '../../../src/store/sqlite/sqlite-store.js'
import { temporaryDirectory } from '../../support/build.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('an import that keeps others waiting for too long is given up', async (t) => {
  const { employees } = await open(t, { writingMs: 0 })
  await t.rejects(importing(employees, 3000), { statusCode: 503, code: 'IMPORT_TOO_LONG' })
  t.strictSame(await employees.page({ limit: 10 }), { employees: [] })
  t.equal((await employees.create(ada)).id, 1, 'and the lock is free')
})

t.test('the lock of somebody else is waited for, on a timer, and not for ever', async (t) => {
  const { employees, other } = await open(t, { lockTimeoutMs: 50 })
  const { employees: patient } = await open(t, {}, other.name)
  other.exec('BEGIN IMMEDIATE')
  await t.rejects(importing(employees, 1), { statusCode: 503, code: 'DATABASE_UNAVAILABLE' })
  const started = importing(patient, 2)
  setTimeout(() => other.exec('COMMIT'), 20)
  t.strictSame(await started, { count: 2, first: 1, last: 2 })
})

t.test('who ends an import ends it up to its commit, and nothing is there', async (t) => {
  const { employees } = await open(t)
  const abort = new AbortController()
  const staged = await employees.import(abort.signal)
  staged.add(ada)
  abort.abort(new Error('enough'))
  await t.rejects(staged.commit(), { message: 'enough' })
  await staged.close()
  t.strictSame(await employees.page({ limit: 10 }), { employees: [] })
})

t.test('a commit is told of before it is answered', async (t) => {
  const { employees, batches } = await open(t)
  let told = 0
  employees.onCommit(() => told++)
  await importing(employees, 3)
  t.equal(told, 1)
  t.match(batches, [{ writes: 1, failed: false }])
})

async function open(t: Test, imports = {}, file?: string) {
  const path = file ?? join(await temporaryDirectory(t), 'employees.db')
  const db = openSqlite(`file:${path}`)
  const batches: object[] = []
  const store = createSqliteStore(db, { limits: { imports }, onBatch: (one) => batches.push(one) })
  const other = new Sqlite(path)
  t.teardown(async () => {
    await store.close()
    db.$client.close()
    other.close()
  })
  return { employees: store.employees, other, batches }
}

async function importing(employees: Awaited<ReturnType<typeof open>>['employees'], count: number) {
  const staged = await employees.import(new AbortController().signal)
  try {
    for (let n = 0; n < count; n++) staged.add(ada)
    return await staged.commit()
  } finally {
    await staged.close()
  }
}
