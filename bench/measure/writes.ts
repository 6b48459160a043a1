import Sqlite from 'better-sqlite3'
import type { Client } from 'pg'
import { pathOf } from '../../src/store/sqlite/open.js'
import { postgresClient, queryOnce } from '../../test/support/postgres-client.js'
import { scoped } from '../../test/support/scope.js'
import { median } from '../median.js'
import { runTime } from '../servers/postgres.js'
import type { WriteResult } from './results.js'

interface Employee {
  id: number
  salary: number
}

/** Employees who are given a lower salary, which stays on the side of the threshold where it was. */
const WRITES = [
  { write: 'that no view shows', who: 'salary < 90000', least: 0.9 },
  { write: 'that high-salary shows', who: 'salary > 110000', least: 0.95 },
]
type Write = (typeof WRITES)[number]

const ROUNDS = 20
/** Rows of a statement in PostgreSQL, and statements of a round in SQLite, where one is too short to measure. */
const ROWS = 100

/** What an update of an employee costs in the database alone, with its triggers and without. */
export async function measureWrites(
  databaseUrl: string,
): Promise<Pick<WriteResult, 'write' | 'us' | 'bareUs'>[]> {
  if (databaseUrl.startsWith('file:')) return measureSqlite(pathOf(databaseUrl))
  // As it does by itself after a while.
  await queryOnce(databaseUrl, 'VACUUM (ANALYZE)')
  const measured = await measurePostgres(databaseUrl)
  await queryOnce(databaseUrl, 'VACUUM (ANALYZE)')
  return measured
}

/** One by one in one transaction, which is rolled back. */
function measureSqlite(path: string) {
  const client = new Sqlite(path)
  // So that it writes no page before the end.
  client.pragma('cache_size = -262144')
  client.exec('BEGIN IMMEDIATE')
  try {
    const people = WRITES.map(({ who }) => client.prepare<[], Employee>(peopleOf(who)).all())
    const measure = () => WRITES.map((write, i) => updateInSqlite(client, write, people[i] ?? []))
    const us = measure()
    for (const name of client.prepare<[], string>(TRIGGERS).pluck().all()) {
      client.exec(`DROP TRIGGER "${name}"`)
    }
    const bareUs = measure()
    return WRITES.map(({ write }, i) => ({
      write,
      us: us[i] as number,
      bareUs: bareUs[i] as number,
    }))
  } finally {
    client.close()
  }
}

const TRIGGERS = `SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'employees'`

function updateInSqlite(client: Sqlite.Database, write: Write, people: Employee[]): number {
  const update = client.prepare('UPDATE employees SET salary = ? WHERE id = ?')
  const took: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const { ids, salaries } = changes(write, people, round)
    const before = process.cpuUsage()
    for (const [i, id] of ids.entries()) update.run(salaries[i], id)
    const { user, system } = process.cpuUsage(before)
    took.push((user + system) / ids.length)
  }
  return medianWarm(took)
}

/** By statements of many rows, each a transaction of its own, none of which waits for the disk. */
async function measurePostgres(databaseUrl: string) {
  return scoped(async (scope) => {
    const client = await postgresClient(scope, databaseUrl)
    await client.query('SET synchronous_commit = off')
    const { pid } = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0]
    const measured = []
    for (const write of WRITES) {
      const { rows: people } = await client.query(peopleOf(write.who))
      const [us, bareUs]: [number[], number[]] = [[], []]
      for (let round = 0; round <= 2 * ROUNDS + 1; round++) {
        const isBare = round % 2 === 1
        // Triggers are for the origin of a change.
        await client.query(`SET session_replication_role = ${isBare ? 'replica' : 'origin'}`)
        ;(isBare ? bareUs : us).push(await updateInPostgres(client, pid, write, people, round))
      }
      measured.push({ write: write.write, us: medianWarm(us), bareUs: medianWarm(bareUs) })
    }
    return measured
  })
}

async function updateInPostgres(
  client: Client,
  pid: number,
  write: Write,
  people: Employee[],
  round: number,
): Promise<number> {
  const { ids, salaries } = changes(write, people, round)
  const before = runTime(pid)
  await client.query({ name: 'update', text: UPDATE, values: [ids, salaries] })
  return (runTime(pid) - before) / ids.length
}

const UPDATE = `UPDATE employees SET salary = new.salary
  FROM unnest($1::bigint[], $2::double precision[]) AS new (id, salary) WHERE employees.id = new.id`

/** Those who are not in the ranking, in a random order: as many as the rounds change. */
function peopleOf(who: string): string {
  return `SELECT id, salary FROM employees WHERE ${who} AND id NOT IN (SELECT id FROM top2_by_dept)
    ORDER BY random() LIMIT ${(2 * ROUNDS + 2) * ROWS}`
}

/** Others in each round, as long as there are others. */
function changes({ least }: Write, people: Employee[], round: number) {
  const count = Math.min(ROWS, people.length)
  const chosen = Array.from(
    { length: count },
    (_, i) => people[(round * count + i) % people.length] as Employee,
  )
  // Never higher than it was, so that nobody rises into the ranking.
  const lowered = ({ salary }: Employee) => salary * (least + Math.random() * (1 - least))
  return { ids: chosen.map(({ id }) => id), salaries: chosen.map(lowered) }
}

/** Of all but the first, which is to warm up. */
function medianWarm(values: number[]): number {
  return median(values.slice(1))
}
