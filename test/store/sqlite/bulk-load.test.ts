import t from 'tap'
import type { EmployeeCreate } from '../../../src/employees/schemas.js'
import { bulkLoad } from '../../../src/store/sqlite/bulk-load.js'
import { type Drizzle, openSqlite } from '../../../src/store/sqlite/open.js'
import { newDatabase } from '../../support/any-database.js'
import { memoryDatabase } from '../../support/memory-database.js'
import { versions } from './versions.js'

const clerk = { name: 'Clerk', salary: 1, department: 'Sales' }

t.test('indexes and triggers are back after a bulk load, and work', async (t) => {
  const client = memoryDatabase(t)
  const before = schema(client)
  t.equal(await bulkLoad(client, Array(120).fill(clerk)), 120)
  t.same(schema(client), before)

  const loaded = versions(client)
  add(client, clerk)
  t.same(versions(client).high_salary_emps, loaded.high_salary_emps, 'a clerk is not in this view')
  add(client, { ...clerk, salary: 200_000 })
  t.not(versions(client).high_salary_emps, loaded.high_salary_emps)
  t.not(versions(client).top2_by_dept, loaded.top2_by_dept)
  t.throws(() => client.exec('UPDATE employees SET id = 1000 WHERE id = 1'), /keeps its id/)
  t.same(client.pragma('integrity_check', { simple: true }), 'ok')
})

t.test('a bulk load that fails leaves all as it was', async (t) => {
  const client = memoryDatabase(t)
  add(client, clerk)
  const before = state(client)
  function* failing() {
    yield* Array(120).fill(clerk)
    throw new Error('no more')
  }
  await t.rejects(bulkLoad(client, failing()), /no more/)
  t.same(state(client), before)
  await t.rejects(bulkLoad(client, [clerk, { ...clerk, salary: -1 }]), /CHECK/)
  t.same(state(client), before)
  add(client, { ...clerk, salary: 200_000 })
  t.not(versions(client).high_salary_emps, before.versions.high_salary_emps)
})

t.test('until a bulk load is done, a reader sees the old rows with the old versions', async (t) => {
  const url = await newDatabase(t, 'sqlite')
  const [reader, writer] = [openSqlite(url).$client, openSqlite(url).$client]
  t.teardown(() => {
    reader.close()
    writer.close()
  })
  add(reader, clerk)
  const before = state(reader)
  function* watched() {
    for (let count = 0; count < 120; count++) {
      if (count % 50 === 0) t.same(state(reader), before)
      yield { ...clerk, salary: 200_000 }
    }
    t.same(state(reader), before)
  }
  await bulkLoad(writer, watched())
  t.equal(state(reader).employees.count, 121)
  t.not(versions(reader).high_salary_emps, before.versions.high_salary_emps)
})

type Client = Drizzle['$client']

function add(client: Client, { name, salary, department }: EmployeeCreate): void {
  client
    .prepare('INSERT INTO employees (name, salary, department) VALUES (?, ?, ?)')
    .run(name, salary, department)
}

function schema(client: Client): unknown[] {
  return client
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .all()
}

/** All that a bulk load may change; of the employees a summary, since a difference may be large. */
function state(client: Client) {
  const employees = client
    .prepare('SELECT count(*) AS count, max(id) AS last, total(salary) AS pay FROM employees')
    .get() as { count: number }
  return { employees, versions: versions(client), schema: schema(client) }
}
