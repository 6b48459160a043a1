import { join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { GroupCommit } from '../../../src/store/sqlite/group-commit.js'
import { IdempotencyKeys } from '../../../src/store/sqlite/idempotency-keys.js'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { createSqliteStore } from '../../../src/store/sqlite/sqlite-store.js'
import { keepSweeping } from '../../../src/store/sqlite/sweeping.js'
import { temporaryDirectory } from '../../support/build.js'
import { until } from '../../support/until.js'
import { age, count, DAY } from './age.js'

t.test('old keys are swept, a few in each transaction, by several processes', async (t) => {
  const { db, other } = await twoConnections(t)
  fill(db.$client, 'new', 10)
  fill(db.$client, 'old', 1700)
  age(db.$client, DAY, 'old')
  const swept: number[] = []
  let before = count(db.$client)
  const note = () => {
    const now = count(db.$client)
    swept.push(before - now)
    before = now
  }
  const stores = [db, other].map((each) =>
    createSqliteStore(each, { sweepEveryMs: 1, onBatch: note }),
  )
  await until(() => count(db.$client) === 10)
  for (const store of stores) store.close()
  t.ok(Math.max(...swept) <= 100, `${swept}`)
  const names = db.$client.prepare('SELECT DISTINCT client FROM idempotency_keys').pluck().all()
  t.strictSame(names, ['new'])
})

t.test('a sweep that fails is made later', async (t) => {
  const { db, other } = await twoConnections(t)
  let transactions = 0
  const store = createSqliteStore(db, { sweepEveryMs: 1, onBatch: () => transactions++ })
  fill(other.$client, 'new', 10)
  other.$client.exec(
    `CREATE TRIGGER fail BEFORE DELETE ON idempotency_keys BEGIN SELECT raise(ABORT, 'no'); END`,
  )
  age(other.$client, DAY, 'new')
  await until(() => transactions > 3)
  t.equal(count(other.$client), 10)
  other.$client.exec('DROP TRIGGER fail')
  await until(() => count(other.$client) === 0)
  store.close()
})

t.test('no statement on keys scans or sorts them', async (t) => {
  const { db } = await twoConnections(t)
  const statements: string[] = []
  new IdempotencyKeys({
    prepare(sql: string) {
      statements.push(sql)
      return db.$client.prepare(sql)
    },
  } as unknown as typeof db.$client)
  for (const sql of statements) {
    const plan = db.$client.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll('?', '1')}`).all()
    t.notMatch(JSON.stringify(plan), /SCAN idempotency_keys|TEMP B-TREE/, sql)
  }
})

t.test('without old keys nothing takes the write lock', async (t) => {
  const counts = { looks: 0, writes: 0 }
  const stop = keepSweeping(...parts(counts), 1)
  await until(() => counts.looks > 5)
  stop()
  t.equal(counts.writes, 0)
})

t.test('what was told to stop looks no more', async (t) => {
  const [stopped, other] = [
    { looks: 0, writes: 0 },
    { looks: 0, writes: 0 },
  ]
  const stop = keepSweeping(...parts(stopped), 1)
  const stopOther = keepSweeping(...parts(other), 1)
  await until(() => stopped.looks > 0)
  stop()
  const { looks } = stopped
  const seen = other.looks
  await until(() => other.looks > seen + 5)
  stopOther()
  t.equal(stopped.looks, looks)
})

/** A table without old keys, and a queue, that count what they are asked. */
function parts(counts: { looks: number; writes: number }): [IdempotencyKeys, GroupCommit] {
  const keys = {
    hasOld() {
      counts.looks++
      return false
    },
  }
  const commits = {
    async run() {
      counts.writes++
    },
  }
  return [keys as IdempotencyKeys, commits as unknown as GroupCommit]
}

/** One file as two processes have it. */
async function twoConnections(t: Test) {
  const url = `file:${join(await temporaryDirectory(t), 'employees.db')}`
  const [db, other] = [openSqlite(url), openSqlite(url)]
  t.teardown(() => {
    db.$client.close()
    other.$client.close()
  })
  return { db, other }
}

function fill(client: Sqlite.Database, name: string, keys: number): void {
  client
    .prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO idempotency_keys (client, key, body_hash, employee_id)
       SELECT ?, CAST(n AS text), x'00', n FROM numbers`,
    )
    .run(keys, name)
}
