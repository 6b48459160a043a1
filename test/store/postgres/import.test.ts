import t, { type Test } from 'tap'
import { postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }

t.test('an import that keeps others waiting for too long is given up', async (t) => {
  const { employees } = await open(t, { writingMs: 1 })
  await t.rejects(importing(employees, 20_000), { statusCode: 503, code: 'IMPORT_TOO_LONG' })
  t.strictSame(await employees.page({ limit: 10 }), { employees: [] })
  t.equal((await employees.create(ada)).name, 'Ada', 'and the lock is free')
})

t.test('ids go on behind those that were given by hand', async (t) => {
  const { employees, shell } = await open(t)
  t.strictSame(await importing(employees, 2), { count: 2, first: 1, last: 2 })
  await shell.query("INSERT INTO employees VALUES (7, 'Eve', 1, 'E')")
  t.strictSame(await importing(employees, 3), { count: 3, first: 8, last: 10 })
  t.equal((await employees.create(ada)).id, 11)
})

t.test('who ends an import ends it up to its commit, and nothing is there', async (t) => {
  const { employees } = await open(t)
  const abort = new AbortController()
  const staged = await employees.import(abort.signal)
  await staged.add(ada)
  abort.abort(new Error('enough'))
  await t.rejects(staged.commit())
  await staged.close()
  t.strictSame(await employees.page({ limit: 10 }), { employees: [] })
})

async function open(t: Test, imports = {}) {
  const { store, url } = await postgresStore(t, { limits: { imports } })
  return { employees: store.employees, shell: await postgresClient(t, url) }
}

async function importing(employees: Awaited<ReturnType<typeof open>>['employees'], count: number) {
  const staged = await employees.import(new AbortController().signal)
  try {
    for (let n = 0; n < count; n++) await staged.add(ada)
    return await staged.commit()
  } finally {
    await staged.close()
  }
}
