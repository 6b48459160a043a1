import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { ENDS, FIND, FORGET, HAS_OLD, SWEEP } from '../../../src/store/postgres/idempotency-keys.js'
import { build } from '../../support/build.js'
import { postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { until } from '../../support/until.js'

const DAY = 24 * 60 * 60
const KEY = 'payroll-of-march'
const scope = { client: 'web', key: KEY }
const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const grace = { ...ada, name: 'Grace' }

t.test(
  'the same key twice in one batch is one employee, and another body is refused',
  async (t) => {
    const { store, batches } = await open(t)
    const create = (employee: typeof ada, key?: string) =>
      store.employees.create(employee, key === undefined ? undefined : { client: 'web', key })
    const outcomes = await Promise.allSettled([
      create(ada, 'a'),
      create(ada, 'a'),
      create(grace, 'a'),
      create(ada, 'b'),
      create(ada),
    ])
    t.match(outcomes, [
      { value: { id: 1, ...ada } },
      { value: { id: 1, ...ada } },
      { reason: { statusCode: 422 } },
      { value: { id: 2 } },
      { value: { id: 3 } },
    ])
    t.equal(batches(), 1)
    t.equal((await store.employees.page({ limit: 9 })).employees.length, 3)
  },
)

t.test(
  'a key is known in batches behind it, to other processes, and when all was changed',
  async (t) => {
    const { url, store } = await open(t)
    const { id } = await store.employees.create(ada, scope)
    await store.employees.delete(id)
    const other = (await postgresStore(t, {}, url)).store
    t.strictSame(await other.employees.create(ada, scope), { id, ...ada })
    await t.rejects(other.employees.create(grace, scope), { statusCode: 422, code: /REUSED/ })
    t.strictSame((await other.employees.page({ limit: 9 })).employees, [])
  },
)

t.test('two processes that create at once with a key create one', async (t) => {
  const one = await open(t)
  const other = (await postgresStore(t, {}, one.url)).store
  const created = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 ? other : one.store).employees.create(ada, scope)),
  )
  t.equal(new Set(created.map(({ id }) => id)).size, 1)
  t.equal((await other.employees.page({ limit: 9 })).employees.length, 1)
})

t.test('a key is kept with its employee, or not at all', async (t) => {
  const { store, shell, count } = await open(t)
  await shell.query('ALTER TABLE employees ADD CHECK (salary < 1000000)')
  await t.rejects(store.employees.create({ ...ada, salary: 1e6 }, scope), { code: '23514' })
  t.equal(await count(), 0)
  t.equal((await store.employees.create(ada, scope)).name, 'Ada')
})

t.test('a key stands for one request for 24 hours, swept or not', async (t) => {
  const { store, age, count } = await open(t)
  const first = await store.employees.create(ada, scope)
  await age(DAY - 60)
  t.equal((await store.employees.create(ada, scope)).id, first.id)
  await age(61)
  const second = await store.employees.create(grace, scope)
  t.not(second.id, first.id)
  t.equal(await count(), 1)
  t.equal((await store.employees.create(grace, scope)).id, second.id)
})

t.test('neither keys nor what tells a salary by trying are kept', async (t) => {
  const kept = await Promise.all(
    [1, 2].map(async () => {
      const { store, shell } = await open(t)
      await store.employees.create(ada, scope)
      await store.employees.create(ada, { ...scope, key: 'another' })
      return (await shell.query('SELECT key, body_hash FROM idempotency_keys')).rows
    }),
  )
  const rows = kept.flat() as { key: Buffer; body_hash: Buffer }[]
  const digests = rows.map(({ body_hash }) => body_hash.toString('hex'))
  t.equal(new Set(digests).size, 4, 'the same body is another digest under another key or secret')
  const plain = createHash('sha256').update(JSON.stringify(['Ada', 120_000, 'Engineering']))
  t.notOk(digests.includes(plain.digest('hex')))
  for (const { key } of rows) t.notMatch(key.toString('latin1'), /payroll|another/)
})

t.test('a client has so many keys at once, and others have their own', async (t) => {
  const { store, age, count } = await open(t, 3)
  const create = (key: string, client = 'web') => store.employees.create(ada, { client, key })
  await Promise.all(['a', 'b', 'c'].map((key) => create(key)))
  await age(3600)
  const [refused, known, others, without] = await Promise.allSettled([
    create('d'),
    create('a'),
    create('d', 'mobile'),
    store.employees.create(ada),
  ])
  t.match(refused, { reason: { statusCode: 429 } })
  const { retryAfter } = (refused as unknown as { reason: { retryAfter: number } }).reason
  t.ok(retryAfter > DAY - 3660 && retryAfter <= DAY - 3600, `${retryAfter}`)
  t.match([known, others, without], [{ value: { id: 1 } }, { value: {} }, { value: {} }])
  t.equal(await count(), 4)
})

t.test('a key past its time makes room for one, swept or not', async (t) => {
  const { store, age, count } = await open(t, 3)
  const create = (key: string) => store.employees.create(ada, { client: 'web', key })
  await create('a')
  await age(60)
  for (const key of ['b', 'c']) await create(key)
  await age(DAY - 60)
  await create('d')
  t.equal(await count(), 3)
  await t.rejects(create('e'), { statusCode: 429, code: /TOO_MANY/ })
  await age(DAY)
  for (const key of ['f', 'g', 'h']) await create(key)
  t.equal(await count(), 3)
  await t.rejects(create('i'), { statusCode: 429, code: /TOO_MANY/ })
})

t.test('over HTTP the quota is a 429 with Retry-After', async (t) => {
  const app = await build(t)
  const shell = await postgresClient(t, app.config.databaseUrl)
  await shell.query(`INSERT INTO idempotency_keys (client, key, body_hash, employee_id, number)
    SELECT '', sha256(number::text::bytea), '', 1, number FROM generate_series(1, 100000) AS number`)
  const answer = await app.inject({
    method: 'POST',
    url: '/employees',
    headers: { 'idempotency-key': 'one-more' },
    payload: ada,
  })
  t.equal(answer.statusCode, 429)
  t.ok(Number(answer.headers['retry-after']) > DAY - 60)
})

t.test('old keys are swept, a thousand at a time, by several processes', async (t) => {
  const { url, shell, count, age } = await open(t)
  await shell.query(`INSERT INTO idempotency_keys (client, key, body_hash, employee_id, number)
    SELECT 'web', sha256(number::text::bytea), '', 1, number FROM generate_series(1, 2500) AS number`)
  await age(DAY)
  await shell.query(`INSERT INTO idempotency_keys (client, key, body_hash, employee_id, number)
    VALUES ('new', 'x', '', 1, 1)`)
  const swept: boolean[] = []
  await Promise.all(
    [1, 2].map(() =>
      postgresStore(t, { sweepEveryMs: 1, onBatch: ({ failed }) => swept.push(failed) }, url),
    ),
  )
  await until(async () => (await count()) === 1)
  t.ok(swept.length >= 3, `${swept.length} transactions`)
  t.notOk(swept.includes(true))
  const { rows } = await shell.query('SELECT client FROM idempotency_keys')
  t.strictSame(rows, [{ client: 'new' }])
})

t.test('without old keys nothing is swept', async (t) => {
  const { url } = await open(t)
  let sweeps = 0
  const { store } = await postgresStore(t, { sweepEveryMs: 1, onBatch: () => sweeps++ }, url)
  const started = performance.now()
  await until(() => performance.now() - started > 200)
  t.equal(sweeps, 0)
  await store.close()
})

t.test('a sweep that fails is made later', async (t) => {
  const { url, shell, store, count, age } = await open(t)
  await store.employees.create(ada, scope)
  await shell.query(`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE TRIGGER no BEFORE DELETE ON idempotency_keys EXECUTE FUNCTION no()`)
  await age(DAY)
  let failures = 0
  await postgresStore(t, { sweepEveryMs: 1, onBatch: ({ failed }) => (failures += +failed) }, url)
  await until(() => failures > 3)
  t.equal(await count(), 1)
  await shell.query('DROP TRIGGER no ON idempotency_keys')
  await until(async () => (await count()) === 0)
})

t.test('no statement on keys scans all of them', async (t) => {
  const { shell } = await open(t)
  await shell.query(`INSERT INTO idempotency_keys (client, key, body_hash, employee_id, number)
    SELECT 'web', sha256(number::text::bytea), '', 1, number FROM generate_series(1, 20000) AS number;
    ANALYZE idempotency_keys`)
  const plans = [
    [HAS_OLD, []],
    [SWEEP, []],
    [FIND, [['web'], [Buffer.from('x')]]],
    [ENDS, [['web']]],
    [FORGET, [['web'], [1]]],
  ] as const
  for (const [sql, values] of plans) {
    const { rows } = await shell.query(`EXPLAIN ${sql}`, [...values])
    t.notMatch(JSON.stringify(rows), /Seq Scan on idempotency_keys/, sql)
  }
})

/** A store, and what somebody may do in its database who has a shell there. */
async function open(t: Test, idempotencyKeys?: number) {
  let transactions = 0
  const { url, store } = await postgresStore(t, {
    onBatch: () => transactions++,
    ...(idempotencyKeys !== undefined && { limits: { idempotencyKeys } }),
  })
  const shell = await postgresClient(t, url)
  return {
    url,
    store,
    shell,
    batches: () => transactions,
    /** Makes all keys some seconds older. */
    async age(seconds: number) {
      await shell.query(
        `UPDATE idempotency_keys SET created_at = created_at - make_interval(secs => $1)`,
        [seconds],
      )
    },
    async count(): Promise<number> {
      const { rows } = await shell.query('SELECT count(*)::int FROM idempotency_keys')
      return rows[0].count
    },
  }
}
