import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { GroupCommit } from '../../../src/store/sqlite/group-commit.js'
import type { Batch } from '../../../src/store/store.js'
import { temporaryDirectory } from '../../support/build.js'
import { until } from '../../support/until.js'

/**
 * A commit that has returned is on the disk: SQLite in WAL mode with synchronous=FULL syncs the WAL
 * file before COMMIT returns (https://www.sqlite.org/pragma.html#pragma_synchronous), and COMMIT is a
 * synchronous call. So these tests look at the order of COMMIT and answers.
 */
t.test('writes of one turn share one transaction, and are answered after its commit', async (t) => {
  const { client, log } = await database(t)
  const commits = new GroupCommit(client)
  const answers = [1, 2, 3].map(async (value) => {
    await commits.run(() => insert(client, value))
    log.push(`answer ${value}`)
  })
  t.strictSame(log, [], 'nothing runs before the turn is over')
  await Promise.all(answers)
  t.strictSame(
    log.filter((line) => /^(BEGIN|COMMIT|answer)/.test(line)),
    ['BEGIN IMMEDIATE', 'COMMIT', 'answer 1', 'answer 2', 'answer 3'],
  )
  t.strictSame(values(client), [1, 2, 3])
})

t.test('a write that fails half-way is undone, and leaves its neighbours alone', async (t) => {
  const { client } = await database(t)
  const commits = new GroupCommit(client)
  const outcomes = await Promise.allSettled([
    commits.run(() => insert(client, 1)),
    commits.run(() => {
      insert(client, 2)
      throw new Error('second thoughts')
    }),
    commits.run(() => insert(client, 1)),
    commits.run(() => insert(client, 3)),
  ])
  t.strictSame(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.message : 'ok')),
    ['ok', 'second thoughts', 'UNIQUE constraint failed: numbers.value', 'ok'],
  )
  t.strictSame(values(client), [1, 3])
})

t.test('a write alone has no savepoint, and if it fails its transaction is undone', async (t) => {
  const { client, log } = await database(t)
  const batches: Batch[] = []
  const commits = new GroupCommit(client, { onBatch: (batch) => batches.push(batch) })
  await commits.run(() => insert(client, 1))
  const half = commits.run(() => {
    insert(client, 2)
    throw new Error('second thoughts')
  })
  await t.rejects(half, { message: 'second thoughts' })
  t.strictSame(
    log.filter((line) => !line.startsWith('INSERT')),
    ['BEGIN IMMEDIATE', 'COMMIT', 'BEGIN IMMEDIATE', 'ROLLBACK'],
  )
  t.strictSame(
    batches.map(({ failed }) => failed),
    [false, false],
    'the database has done what it was told',
  )
  t.strictSame(values(client), [1])
})

t.test(
  'a statement of which a trigger says FAIL leaves nothing, and its neighbours alone',
  async (t) => {
    const { client } = await database(t)
    client.exec(`CREATE TRIGGER refuse AFTER INSERT ON numbers WHEN NEW.value = 2
    BEGIN SELECT RAISE(FAIL, 'not two'); END`)
    const commits = new GroupCommit(client)
    const outcomes = await Promise.allSettled(
      [1, 2, 1, 3].map((value) => commits.runOne(() => insert(client, value))),
    )
    t.strictSame(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.message : 'ok')),
      ['ok', 'not two', 'UNIQUE constraint failed: numbers.value', 'ok'],
    )
    t.strictSame(values(client), [1, 3])
  },
)

t.test('a commit that fails keeps nothing, and nobody is told otherwise', async (t) => {
  const { client } = await database(t)
  client.exec('CREATE TABLE pairs (value REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)')
  const commits = new GroupCommit(client)
  const outcomes = await Promise.allSettled([
    commits.run(() => insert(client, 1)),
    // The missing number is noticed at the commit.
    commits.run(() => client.prepare('INSERT INTO pairs VALUES (7)').run()),
  ])
  t.strictSame(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.strictSame(values(client), [])
  await commits.run(() => insert(client, 2))
  t.strictSame(values(client), [2], 'and the next one is fine')
})

t.test(
  'a full disk fails what does not fit with 503; writes go on when there is room',
  async (t) => {
    const { client } = await database(t)
    const commits = new GroupCommit(client)
    const pages = client.pragma('page_count', { simple: true })
    client.pragma(`max_page_count = ${pages}`)
    const large = () => client.prepare('INSERT INTO numbers VALUES (zeroblob(1e6))').run()
    await t.rejects(commits.run(large), { statusCode: 503, code: 'DATABASE_UNAVAILABLE' })
    t.strictSame(values(client), [])
    client.pragma('max_page_count = 1000000')
    await commits.run(large)
    t.equal(values(client).length, 1)
  },
)

t.test(
  'while another process holds the lock the event loop goes on, then the writes do',
  async (t) => {
    const { client, other } = await database(t)
    const commits = new GroupCommit(client, { lockTimeoutMs: Number.POSITIVE_INFINITY })
    other.exec('BEGIN IMMEDIATE')
    let answered = false
    const write = commits.run(() => insert(client, 1)).then(() => (answered = true))
    for (let turns = 0; turns < 1000; turns++) await turn()
    t.notOk(answered)
    other.exec('COMMIT')
    await write
    t.strictSame(values(client), [1])
  },
)

t.test('a lock that stays is a 503, and the write is not made later', async (t) => {
  const { client, other } = await database(t)
  const commits = new GroupCommit(client, { lockTimeoutMs: 50 })
  other.exec('BEGIN IMMEDIATE')
  await t.rejects(
    commits.run(() => insert(client, 1)),
    { statusCode: 503, code: 'DATABASE_UNAVAILABLE', message: /SQLITE_BUSY/ },
  )
  other.exec('COMMIT')
  await commits.run(() => insert(client, 2))
  t.strictSame(values(client), [2])
})

t.test('the queue is bounded', async (t) => {
  const { client } = await database(t)
  const commits = new GroupCommit(client, { waiting: 2 })
  const first = [1, 2].map((value) => commits.run(() => insert(client, value)))
  await t.rejects(
    commits.run(() => insert(client, 3)),
    { statusCode: 503, code: 'TOO_MANY_WRITES' },
  )
  await Promise.all(first)
  t.strictSame(values(client), [1, 2])
})

t.test('many writes are made in batches', async (t) => {
  const { client, log } = await database(t)
  const commits = new GroupCommit(client, { batch: 10 })
  await Promise.all(
    Array.from({ length: 25 }, (_, value) => commits.run(() => insert(client, value))),
  )
  t.equal(log.filter((line) => line === 'COMMIT').length, 3)
  t.equal(values(client).length, 25)
})

t.test('a write of many rows counts as so many, in a batch and in the queue', async (t) => {
  const { client } = await database(t)
  const writes: number[] = []
  const commits = new GroupCommit(client, {
    batch: 10,
    waiting: 50,
    onBatch: (batch) => writes.push(batch.writes),
  })
  const runs = [4, 4, 4, 25, 1, 1].map((rows, value) =>
    commits.run(() => insert(client, value), rows),
  )
  t.equal(commits.waiting, 39)
  await t.rejects(
    commits.run(() => insert(client, 9), 12),
    { code: 'TOO_MANY_WRITES' },
  )
  runs.push(commits.run(() => insert(client, 6), 11))
  await Promise.all(runs)
  t.strictSame(writes, [2, 1, 1, 2, 1])
  t.strictSame(values(client), [0, 1, 2, 3, 4, 5, 6])
  t.equal(commits.waiting, 0)
})

t.test('what waits when the service closes is turned away', async (t) => {
  const { client, other } = await database(t)
  const commits = new GroupCommit(client)
  other.exec('BEGIN IMMEDIATE')
  const write = commits.run(() => insert(client, 1)).catch((error) => error)
  await turn()
  commits.close()
  t.match(await write, { statusCode: 503, message: /closing/ })
  other.exec('COMMIT')
  t.strictSame(values(client), [])
})

t.test('each number of a waiting queue is committed once', async (t) => {
  const { client, other } = await database(t)
  const commits = new GroupCommit(client)
  other.exec('BEGIN IMMEDIATE')
  let answers = 0
  for (let value = 0; value < 600; value++) {
    commits.run(() => insert(client, value)).then(() => answers++)
  }
  await turn()
  other.exec('COMMIT')
  await until(() => answers === 600)
  t.equal(values(client).length, 600)
})

t.test('an observer is told of each transaction before its writes are answered', async (t) => {
  const { client, other } = await database(t)
  client.exec('CREATE TABLE pairs (value REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)')
  const batches: Batch[] = []
  const onBatch = (batch: Batch) => batches.push(batch)
  const commits = new GroupCommit(client, { onBatch, lockTimeoutMs: 50 })
  const start = performance.now()
  const answers = [1, 2, 3].map((value) => commits.run(() => insert(client, value)))
  await Promise.any(answers)
  t.match(batches, [{ writes: 3, failed: false }])
  const { seconds } = batches[0] as Batch
  t.ok(seconds > 0 && seconds <= (performance.now() - start) / 1000, 'in seconds')

  await t.rejects(commits.run(() => client.prepare('INSERT INTO pairs VALUES (7)').run()))
  t.match(batches[1], { writes: 1, failed: true })
  other.exec('BEGIN IMMEDIATE')
  const late = commits.run(() => insert(client, 4))
  t.equal(commits.waiting, 1)
  await t.rejects(late)
  t.match(batches[2], { writes: 1, failed: true })
  other.exec('COMMIT')
  t.strictSame([batches.length, commits.waiting], [3, 0])
})

async function database(t: Test) {
  const log: string[] = []
  const path = join(await temporaryDirectory(t), 'numbers.db')
  const client = new Sqlite(path, { timeout: 2, verbose: (line) => log.push(`${line}`) })
  client.pragma('journal_mode = WAL')
  client.exec('CREATE TABLE numbers (value PRIMARY KEY)')
  const other = new Sqlite(path)
  t.teardown(() => {
    client.close()
    other.close()
  })
  log.length = 0
  return { client, other, log }
}

function insert(client: Sqlite.Database, value: number) {
  return client.prepare('INSERT INTO numbers VALUES (?)').run(value)
}

function values(client: Sqlite.Database): unknown[] {
  return client.prepare('SELECT value FROM numbers ORDER BY value').pluck().all()
}
