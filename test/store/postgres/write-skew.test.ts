// slow: thousands of transactions
import type { Client } from 'pg'
import t, { type Test } from 'tap'
import { views } from '../../../drizzle/registry.js'
import { openPostgres } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { until } from '../../support/until.js'

const TRIALS = 2000
const CONNECTIONS = 4

/** Each by itself, by what it sees: the first changes no ranking of two; the second does. */
const FIRST = 'DELETE FROM employees WHERE salary = 80'
const SECOND = 'DELETE FROM employees WHERE salary = 90'

t.test('without the lock of writers a version means two things', async (t) => {
  const { one, other, observe, broken } = await database(t)
  for (const { name } of views) await one.query(`DROP TRIGGER ${name}_turn ON employees`)
  await one.query('BEGIN')
  await one.query(FIRST)
  await other.query(SECOND)
  await observe(other)
  await one.query('COMMIT')
  await observe(other)
  t.match(broken, [/^top2_by_dept/])
})

t.test('with it the second waits for the first, and sees what that has done', async (t) => {
  const { one, other, observe, broken } = await database(t)
  await one.query('BEGIN')
  await one.query(FIRST)
  await observe(other)
  const second = other.query(SECOND)
  await until(async () => {
    const { rows } = await one.query(`SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'advisory'`)
    return rows.length > 0
  })
  await one.query('COMMIT')
  await second
  await observe(other)
  t.strictSame(broken, [])
})

t.test(`in ${TRIALS} transactions side by side a version always means the same`, async (t) => {
  const { url, observe, broken, seen } = await database(t)
  const trials = Array.from({ length: CONNECTIONS }, async () => {
    const client = await postgresClient(t, url)
    for (let trial = 0; trial < TRIALS / CONNECTIONS; trial++) {
      await client.query('BEGIN')
      for (let statements = 1 + random(3); statements > 0; statements--) {
        await client.query(anyStatement())
      }
      await client.query(random(10) === 0 ? 'ROLLBACK' : 'COMMIT')
      await observe(client)
    }
  })
  // None of them fails: there are no deadlocks.
  await Promise.all(trials)
  t.strictSame(broken, [])
  t.ok(seen.size > TRIALS / 4, `${seen.size} versions`)
})

for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
  t.test(`who writes under ${level} would judge by what was, and is refused`, async (t) => {
    const { one } = await database(t)
    for (const statement of [
      FIRST,
      "INSERT INTO employees (name, salary, department) VALUES ('Ada', 1, 'x')",
      'UPDATE employees SET salary = 1',
      'TRUNCATE employees',
      COPY,
    ]) {
      await one.query(`BEGIN ISOLATION LEVEL ${level}`)
      await t.rejects(one.query(statement), { code: '0A000', message: /READ COMMITTED only/ })
      await one.query('ROLLBACK')
    }
  })
}

t.test('what is copied, and what is emptied, renews the views', async (t) => {
  const { one, observe, broken, seen } = await database(t)
  await observe(one)
  for (const statement of [COPY, 'TRUNCATE employees']) {
    const before = seen.size
    await one.query(statement)
    await observe(one)
    t.equal(seen.size, before + views.length, statement)
  }
  t.strictSame(broken, [])
})

t.test('who empties the table beside writes of the service waits, and neither fails', async (t) => {
  const { db, url, other } = await database(t)
  const store = db.createStore({})
  t.teardown(() => store.close())
  const holder = await postgresClient(t, url)
  await holder.query('BEGIN')
  await holder.query("INSERT INTO employees (name, salary, department) VALUES ('Ada', 1, 'x')")
  const write = store.employees.create({ name: 'Grace', salary: 1, department: 'x' })
  await until(async () => (await waiting(other)) === 1)
  const truncate = postgresClient(t, url).then((client) => client.query('TRUNCATE employees'))
  await until(async () => (await waiting(other)) === 2)
  await holder.query('COMMIT')
  await Promise.all([write, truncate])
})

const COPY = `COPY employees (name, salary, department)
  FROM PROGRAM 'echo Ada,200000,Sales' WITH (FORMAT csv)`

/** A few people, so that they are in each other's way, with salaries around what the views ask for. */
function anyStatement(): string {
  const salary = [0, 50_000, 99_999, 100_000, 100_000.01, 100_001, 150_000, 200_000][random(8)]
  const department = `'${['Sales', 'Engineering'][random(2)]}'`
  const some = `id IN (SELECT id FROM employees WHERE id % 7 = ${random(7)})`
  const statements = [
    `INSERT INTO employees (name, salary, department) VALUES ('Ada', ${salary}, ${department})`,
    `INSERT INTO employees (name, salary, department)
     SELECT 'Grace', salary + 1, ${department} FROM employees WHERE id % 11 = 3 LIMIT 2`,
    `UPDATE employees SET salary = ${salary} WHERE ${some}`,
    `UPDATE employees SET department = ${department}, name = 'Joan' WHERE ${some}`,
    `DELETE FROM employees WHERE ${some}`,
    `DELETE FROM employees WHERE id IN (
       SELECT id FROM employees WHERE department = ${department} ORDER BY salary DESC OFFSET ${random(5)} LIMIT 1)`,
    `WITH gone AS (DELETE FROM employees WHERE ${some} RETURNING *)
     INSERT INTO employees (name, salary, department) SELECT name, salary, ${department} FROM gone`,
  ]
  return statements[random(statements.length)] as string
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}

async function waiting(client: Client): Promise<number> {
  const { rows } = await client.query(`SELECT count(*)::int AS waiting FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`)
  return rows[0].waiting
}

async function database(t: Test) {
  const url = await postgresDatabase(t)
  const db = await openPostgres(t, url)
  const one = await postgresClient(t, url)
  const other = await postgresClient(t, url)
  await one.query(`INSERT INTO employees (name, salary, department)
    SELECT 'Ada', salary, 'Sales' FROM generate_series(100, 40, -10) AS salary`)
  /** What each version of a view was seen to mean. */
  const seen = new Map<string, string>()
  const broken: string[] = []
  return {
    url,
    db,
    one,
    other,
    seen,
    broken,
    /** Looks at each view and its version, both of one moment. */
    async observe(client: Client) {
      for (const { name } of views) {
        const { rows } = await client.query(
          `SELECT version, (SELECT json_agg(${name})::text FROM ${name}) AS rows
           FROM view_versions WHERE view = '${name}'`,
        )
        const version = `${name} ${rows[0].version}`
        const meant = seen.get(version) ?? rows[0].rows
        if (meant !== rows[0].rows) broken.push(`${version}: ${meant}, and ${rows[0].rows}`)
        seen.set(version, meant)
      }
    },
  }
}
