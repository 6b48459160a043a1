// slow: locks are waited for
import t, { type Test } from 'tap'
import type { Batch, EmployeeStore } from '../../../src/store/store.js'
import { FaultProxy } from '../../support/fault-proxy.js'
import { postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { until } from '../../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const grace = { ...ada, name: 'Grace' }
const MISMATCH = Object.assign(new Error('it is not as you think'), { statusCode: 412 })

t.test('writes that come at once share one transaction', async (t) => {
  const { store, batches } = await open(t)
  const created = await Promise.all(Array.from({ length: 20 }, () => store.employees.create(ada)))
  t.match(batches, [{ writes: 20, failed: false }])
  t.ok((batches[0] as Batch).seconds > 0)
  const ids = created.map(({ id }) => id)
  t.strictSame(
    ids,
    [...ids].sort((one, other) => one - other),
    'ids in the order of arrival',
  )
  t.strictSame(await everybody(store.employees), created)
})

t.test('those that come meanwhile share the next ones, so many in each', async (t) => {
  const { store, batches } = await open(t, { batch: 10 })
  await Promise.all(Array.from({ length: 25 }, () => store.employees.create(ada)))
  t.strictSame(
    batches.map(({ writes }) => writes),
    [10, 10, 5],
  )
  t.equal((await everybody(store.employees)).length, 25)
})

t.test('a write of many rows counts as so many, in a batch and in the queue', async (t) => {
  const { store, batches } = await open(t, { batch: 10, waiting: 50 })
  const create = (rows: number) => store.employees.createAll(Array(rows).fill(ada))
  const creations = [4, 4, 4, 25, 1, 1].map(create)
  await t.rejects(create(12), { code: 'TOO_MANY_WRITES' })
  creations.push(create(11))
  await Promise.all(creations)
  t.strictSame(
    batches.map(({ writes }) => writes),
    [2, 1, 1, 2, 1],
  )
  t.equal((await everybody(store.employees)).length, 50)
})

t.test('each sees what those in front of it have done, in one transaction', async (t) => {
  const { store, batches } = await open(t)
  const { employees } = store
  const { id } = await employees.create(ada)
  const seen: string[] = []
  const outcomes = await settled([
    employees.update(id, { name: 'Grace' }, ({ name }) => seen.push(name)),
    employees.update(id, { salary: 1 }, ({ name }) => seen.push(name)),
    employees.update(id, { salary: 2 }, () => {
      throw MISMATCH
    }),
    employees.update(id, {}, ({ salary }) => seen.push(`${salary}`)),
    employees.delete(id, ({ salary }) => seen.push(`${salary}`)),
    employees.delete(id, () => seen.push('nobody')),
    employees.update(id, { salary: 3 }, () => seen.push('nobody')),
    employees.create(ada),
    employees.update(id + 1, { name: 'Joan' }),
  ])
  t.strictSame(seen, ['Ada', 'Grace', '1', '1'])
  t.strictSame(outcomes, [
    { id, ...ada, name: 'Grace' },
    { id, ...grace, salary: 1 },
    MISMATCH,
    { id, ...grace, salary: 1 },
    true,
    false,
    undefined,
    { id: id + 1, ...ada },
    // Nobody can know the id of somebody who is not there yet.
    undefined,
  ])
  t.equal(batches.length, 2)
  t.strictSame(await everybody(employees), [{ id: id + 1, ...ada }])
})

t.test('one that the database refuses leaves its neighbours alone', async (t) => {
  const { store, shell, batches } = await open(t)
  await shell.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF new.name = 'Nobody' THEN RAISE EXCEPTION 'no such person'; END IF; RETURN new; END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON employees
    FOR EACH ROW EXECUTE FUNCTION refuse()`)
  const { employees } = store
  const { id } = await employees.create(ada)
  const outcomes = await settled([
    employees.update(id, { name: 'Grace' }),
    employees.create({ ...ada, name: 'Nobody' }),
    employees.update(id, { salary: 1 }),
    employees.create(grace),
  ])
  t.match(outcomes, [
    { id, name: 'Grace' },
    { message: 'no such person' },
    { id, name: 'Grace', salary: 1 },
    { name: 'Grace' },
  ])
  t.strictSame(
    (await everybody(employees)).map(({ name, salary }) => `${name} ${salary}`),
    ['Grace 1', 'Grace 120000'],
  )
  t.strictSame(
    batches.map(({ writes, failed }) => [writes, failed]),
    [
      [1, false],
      [4, true],
      [1, false],
      [1, true],
      [1, false],
      [1, false],
    ],
  )
})

t.test('what fails together at the commit is tried one by one', async (t) => {
  const { store, shell } = await open(t)
  await shell.query(`ALTER TABLE employees ADD CONSTRAINT one_of_a_name UNIQUE (name)
    DEFERRABLE INITIALLY DEFERRED`)
  const outcomes = await settled([
    store.employees.create(ada),
    store.employees.create(ada),
    store.employees.create(grace),
  ])
  t.match(outcomes, [{ name: 'Ada' }, { code: '23505' }, { name: 'Grace' }])
  t.equal((await everybody(store.employees)).length, 2)
})

t.test('transactions that are run again are counted', async (t) => {
  const { store, shell } = await open(t)
  const retries = () => store.stats().server?.retries
  await store.employees.create(ada)
  t.equal(retries(), 0)
  await shell.query(`INSERT INTO employees (id, name, salary, department)
    SELECT last_value + 1, 'by hand', 1, 'x' FROM employees_id_seq`)
  await store.employees.create(ada)
  t.equal(retries(), 1, 'behind an id that was given by hand')
  await shell.query(`ALTER TABLE employees ADD CONSTRAINT no_grace CHECK (name <> 'Grace')`)
  await settled([ada, grace, ada].map((each) => store.employees.create(each)))
  t.equal(retries(), 4, 'each of three alone')
})

t.test('the queue is bounded, and goes on', async (t) => {
  const { store, lock, unlock } = await open(t, { batch: 1, waiting: 2 })
  await lock()
  const writes = [store.employees.create(ada)]
  await until(() => store.stats().writesWaiting === 0)
  writes.push(store.employees.create(ada), store.employees.create(ada))
  await t.rejects(store.employees.create(ada), { statusCode: 503, code: 'TOO_MANY_WRITES' })
  t.equal(store.stats().writesWaiting, 2)
  await unlock()
  await Promise.all(writes)
  t.equal((await everybody(store.employees)).length, 3)
})

t.test('a lock that stays is a 503 in time, of a whole queue; no connection is lost', async (t) => {
  const { store, lock, unlock, shell } = await open(t)
  await lock()
  const started = performance.now()
  const writes = Array.from({ length: 1000 }, () => store.employees.create(ada))
  for (const outcome of await settled(writes)) {
    if ((outcome as { code: string }).code !== 'DATABASE_UNAVAILABLE') t.fail(`${outcome}`)
  }
  t.ok(performance.now() - started < 3000)
  t.equal(store.stats().server?.losses, 0, 'who reads notices nothing')
  await unlock()
  t.equal((await shell.query('SELECT * FROM employees')).rowCount, 0)
  await store.employees.create(ada)
  t.equal((await shell.query('SELECT * FROM employees')).rowCount, 1, 'nothing is made later')
})

t.test('a row that somebody else has locked is a 503 for those who write it', async (t) => {
  const { store, shell, batches } = await open(t)
  const { id } = await store.employees.create(ada)
  await shell.query('BEGIN')
  await shell.query('SELECT * FROM employees FOR UPDATE')
  await t.rejects(store.employees.update(id, { salary: 1 }), { code: 'DATABASE_UNAVAILABLE' })
  await shell.query('COMMIT')
  t.equal((await store.employees.update(id, {}))?.salary, ada.salary)
  t.equal(store.stats().server?.losses, 0)
  t.match(batches, [{ failed: false }, { failed: true }, { failed: false }])
})

t.test('a write whose time is over before its commit is not made later', async (t) => {
  const url = await postgresDatabase(t)
  const proxy = await FaultProxy.start(t, url)
  const writes = { patienceMs: 200 }
  const { store } = await postgresStore(t, { limits: { writes } }, proxy.url)
  const shell = await postgresClient(t, url)
  proxy.fault = 'hold'
  await t.rejects(store.employees.create(grace), {
    code: 'DATABASE_UNAVAILABLE',
    message: /nothing was changed/,
  })
  proxy.fault = 'none'
  await createdAtLast(store.employees)
  // Of those that were tried behind it more than one may be there, where the machine is busy.
  const { rows } = await shell.query('SELECT DISTINCT name FROM employees')
  t.strictSame(rows, [{ name: ada.name }])
})

t.test('one that is late is not begun, and takes nothing from the others', async (t) => {
  const { store, lock, unlock } = await open(t, { batch: 1, patienceMs: 400 })
  await lock()
  const writes = settled([1, 2, 3].map(() => store.employees.create(ada)))
  for (const outcome of await writes) t.match(outcome, { code: 'DATABASE_UNAVAILABLE' })
  await unlock()
  await createdAtLast(store.employees)
  t.equal((await everybody(store.employees)).length, 1)
})

t.test('who waits behind what takes long is turned away in time', async (t) => {
  const { store } = await open(t, { patienceMs: 200 })
  let isTurnedAway = false
  function* untilThen() {
    while (!isTurnedAway) yield ada
  }
  const many = store.employees.createMany(untilThen())
  await t.rejects(store.employees.create(ada), { code: 'DATABASE_UNAVAILABLE' })
  isTurnedAway = true
  await many
})

t.test('what waits when the service closes is turned away', async (t) => {
  const { store, lock, unlock } = await open(t, { batch: 1 })
  await lock()
  const first = store.employees.create(ada)
  const waiting = store.employees.create(ada)
  await until(() => store.stats().writesWaiting === 1)
  const outcome = t.rejects(waiting, { statusCode: 503, message: /closing/ })
  await store.close()
  await outcome
  await unlock()
  await first
  await t.rejects(store.employees.create(ada), /closing/)
})

t.test('many at once are all or none, whatever else is written', async (t) => {
  const { store, shell } = await open(t)
  let commits = 0
  store.employees.onCommit(() => commits++)
  const many = (count: number) => Array.from({ length: count }, () => ada)
  await Promise.all([
    store.employees.create(ada),
    store.employees.createMany(many(25_000)),
    store.employees.create(ada),
  ])
  const count = async () => (await shell.query('SELECT * FROM employees')).rowCount
  t.equal(await count(), 25_002)
  t.equal(commits, 3)
  const bad = [...many(12_000), { ...ada, salary: -1 }]
  await t.rejects(store.employees.createMany(bad), { code: '23514' })
  t.equal(await count(), 25_002)
  await store.employees.createMany([])
  await store.employees.create(ada)
  t.equal(await count(), 25_003)
})

type Limits = { batch?: number; waiting?: number; patienceMs?: number }

/** A store, and what somebody may do in its database who has a shell there. */
async function open(t: Test, writes: Limits = {}) {
  const batches: Batch[] = []
  const onBatch = (batch: Batch) => batches.push(batch)
  const { url, store } = await postgresStore(t, { onBatch, limits: { writes } })
  const shell = await postgresClient(t, url)
  return {
    store,
    batches,
    shell,
    /** Begins a transaction that writes. */
    async lock() {
      await shell.query('BEGIN')
      await shell.query('DELETE FROM employees WHERE id = 0')
    },
    async unlock() {
      await shell.query('COMMIT')
    },
  }
}

/** What each comes to: its value, or its error. */
async function settled(writes: Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(writes)
  return outcomes.map((each) => (each.status === 'fulfilled' ? each.value : each.reason))
}

async function everybody(employees: EmployeeStore) {
  return (await employees.page({ limit: 100_000 })).employees
}

/** Asks until it may be. */
async function createdAtLast(employees: EmployeeStore) {
  for (;;) {
    try {
      return await employees.create(ada)
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 503) throw error
    }
  }
}
