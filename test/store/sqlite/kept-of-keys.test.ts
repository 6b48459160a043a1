import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { type Drizzle, openSqlite } from '../../../src/store/sqlite/open.js'
import { createSqliteStore } from '../../../src/store/sqlite/sqlite-store.js'
import { temporaryDirectory } from '../../support/build.js'
import { age, count, DAY } from './age.js'

const KEY = 'payroll-of-march'
const scope = { client: 'web', key: KEY }
const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const grace = { ...ada, name: 'Grace' }

/** What releases before wrote, and as they wrote it. */
const BEFORE = {
  find: `SELECT body_hash AS hash, employee_id AS id FROM idempotency_keys
         WHERE client = ? AND key = ? AND NOT created_at <= unixepoch() - 24 * 60 * 60`,
  keep: 'INSERT OR REPLACE INTO idempotency_keys (client, key, body_hash, employee_id) VALUES (?, ?, ?, ?)',
}
const plainHash = createHash('sha256')
  .update(JSON.stringify(['Ada', 120_000, 'Engineering']))
  .digest()

t.test('neither keys nor what tells a salary by trying are kept', async (t) => {
  const [one, other] = [await database(t), await database(t)]
  for (const { store } of [one, other]) {
    await store.employees.create(ada, scope)
    await store.employees.create(ada, { ...scope, key: 'another' })
  }
  const digests = [one, other].flatMap(({ db }) => bodies(db))
  t.equal(new Set(digests).size, 4, 'the same body is another digest under another key or secret')
  t.notOk(digests.includes(plainHash.toString('hex').toUpperCase()))
  t.equal(traces(one, KEY), 0)
})

t.test('keys of a database before are known, and its file forgets them as text', async (t) => {
  const path = await databaseBefore(t, (old) => {
    old.exec("INSERT INTO employees VALUES (7, 'Ada', 120000, 'Engineering')")
    const keep = old.prepare(BEFORE.keep)
    keep.run('web', KEY, plainHash, 7)
    keep.run('web', 'younger', plainHash, 8)
    keep.run('mobile', KEY, plainHash, 9)
    old.exec(`UPDATE idempotency_keys SET created_at = created_at - 60 WHERE key = '${KEY}'`)
  })
  const file = await database(t, path)
  const { employees } = file.store
  t.equal((await employees.create(ada, scope)).id, 7)
  t.equal((await employees.create(ada, { ...scope, client: 'mobile' })).id, 9)
  t.equal((await refusal(employees.create(grace, scope))).statusCode, 422)
  t.strictSame(
    file.db.$client
      .prepare('SELECT client, number FROM idempotency_keys ORDER BY 1, 2')
      .raw()
      .all(),
    [
      ['mobile', 1],
      ['web', 1],
      ['web', 2],
    ],
  )
  t.equal(traces(file, KEY), 0)
  t.equal(traces(file, plainHash.toString('latin1')), 0)
})

t.test('what a release before writes while it still runs is known, too', async (t) => {
  const { db, store } = await database(t)
  const old = new Sqlite(db.$client.name)
  t.teardown(() => old.close())
  old.prepare(BEFORE.keep).run('web', KEY, plainHash, 7)
  t.equal((await store.employees.create(ada, scope)).id, 7)
  t.equal((await refusal(store.employees.create(grace, scope))).statusCode, 422)
  t.match(old.prepare(BEFORE.find).get('web', KEY), { id: 7 })
  age(db.$client, DAY, 'web')
  t.equal((await store.employees.create(ada, scope)).id, 1, 'for a day, as any other')
})

t.test('a client has so many keys at once, and others have their own', async (t) => {
  const { db, store } = await database(t, undefined, 3)
  const create = (key: string, client = 'web') => store.employees.create(ada, { client, key })
  for (const key of ['a', 'b', 'c']) await create(key)
  age(db.$client, 3600, 'web')
  const { statusCode, retryAfter = 0 } = await refusal(create('d'))
  t.equal(statusCode, 429)
  t.ok(retryAfter > DAY - 3660 && retryAfter <= DAY - 3600, `${retryAfter}`)
  t.equal(count(db.$client), 3)
  t.equal((await store.employees.page({ limit: 9 })).employees.length, 3)
  t.equal((await create('a')).id, 1, 'a key that was used is known')
  t.equal((await create('d', 'mobile')).id, 4)
  t.equal((await store.employees.create(ada)).id, 5)
})

t.test('a key past its time makes room for one, swept or not', async (t) => {
  const { db, store } = await database(t, undefined, 3)
  const create = (key: string) => store.employees.create(ada, { client: 'web', key })
  await create('a')
  age(db.$client, 60, 'web')
  for (const key of ['b', 'c']) await create(key)
  age(db.$client, DAY - 60, 'web')
  t.equal((await create('d')).id, 4)
  t.equal(count(db.$client), 3)
  t.equal((await refusal(create('e'))).statusCode, 429)
  age(db.$client, DAY, 'web')
  for (const key of ['f', 'g', 'h']) await create(key)
  t.equal(count(db.$client), 3)
  t.equal((await refusal(create('i'))).statusCode, 429)
})

type Opened = Awaited<ReturnType<typeof database>>

/** A database, and a store on it; its own file unless one is given. */
async function database(t: Test, path?: string, idempotencyKeys?: number) {
  const file = path ?? join(await temporaryDirectory(t), 'employees.db')
  const db = openSqlite(`file:${file}`)
  const store = createSqliteStore(db, {
    limits: { ...(idempotencyKeys && { idempotencyKeys }) },
  })
  t.teardown(() => db.$client.close())
  t.teardown(() => store.close())
  return { db, store }
}

/** A file with the migrations before those of keys as hashes, and what was done to it then. */
async function databaseBefore(t: Test, use: (old: Sqlite.Database) => void): Promise<string> {
  const path = join(await temporaryDirectory(t), 'employees.db')
  const old = new Sqlite(path)
  old.exec('CREATE TABLE migrations (name text PRIMARY KEY, applied_at text NOT NULL) STRICT')
  const folder = new URL('../../../../drizzle/sqlite/', import.meta.url)
  for (const name of readdirSync(folder).sort()) {
    if (!/^000[0-6].*\.sql$/.test(name)) continue
    old.exec(readFileSync(new URL(name, folder), 'utf8'))
    old.prepare("INSERT INTO migrations VALUES (?, datetime('now'))").run(name)
  }
  use(old)
  old.close()
  return path
}

/** What a call rejects with. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => ({}),
    (error: object) => error,
  )
  return error as { statusCode?: number; retryAfter?: number }
}

function bodies(db: Drizzle): string[] {
  return db.$client.prepare<[], string>('SELECT hex(body_hash) FROM idempotency_keys').pluck().all()
}

/** How often the file has these bytes. */
function traces({ db }: Opened, bytes: string): number {
  db.$client.pragma('wal_checkpoint(TRUNCATE)')
  return readFileSync(db.$client.name).toString('latin1').split(bytes).length - 1
}
