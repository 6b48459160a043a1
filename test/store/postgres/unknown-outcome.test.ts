// slow: answers are late, and a standby is made
import t, { type Test } from 'tap'
import { type App, build } from '../../support/build.js'
import { FaultProxy } from '../../support/fault-proxy.js'
import { postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { PostgresStandby } from '../../support/postgres-standby.js'
import { shellOf } from '../../support/shell.js'
import { until } from '../../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
const UNKNOWN = /was done, or it was not\. .*with an Idempotency-Key can be sent again/

/** What may happen while a server commits, by what comes of it there. */
const faults: { what: string; does: (commit: Commit) => Promise<unknown>; isDone?: boolean }[] = [
  {
    what: 'the answer is lost',
    isDone: true,
    async does({ proxy, goOn }) {
      proxy.fault = 'lose-replies'
      await goOn()
      await until(() => proxy.lost > 0)
    },
  },
  {
    what: 'the connection is lost',
    async does({ proxy, goOn }) {
      proxy.reset()
      await goOn()
    },
  },
  {
    what: 'the server takes too long',
    isDone: true,
    async does({ proxy, goOn }) {
      proxy.fault = 'hold'
      await goOn()
    },
  },
  {
    what: 'its process is ended',
    does: ({ shell, pid }) => shell.query('SELECT pg_terminate_backend($1)', [pid]),
  },
  {
    what: 'it is cancelled by hand',
    does: ({ shell, pid }) => shell.query('SELECT pg_cancel_backend($1)', [pid]),
  },
]

for (const { what, does, isDone } of faults) {
  t.test(`${what} in a commit: 503 that says so, and the key creates one`, async (t) => {
    const url = await postgresDatabase(t)
    const proxy = await FaultProxy.start(t, url)
    const app = await build(t, { databaseUrl: proxy.url })
    const { shell, goOn, inCommit } = await commitsThatWait(t, url)
    const started = performance.now()
    const answer = post(app)
    await does({ proxy, shell, goOn, pid: await inCommit() })
    const { statusCode, body, headers } = await answer
    t.ok(performance.now() - started < 3000)
    t.equal(statusCode, 503)
    t.match(body, UNKNOWN)
    t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
    await goOn()
    if (isDone) await until(async () => (await count(shell)) === 1)

    proxy.fault = 'none'
    const again = await postUntilCreated(app)
    t.equal(again.statusCode, 201)
    t.strictSame((await app.inject('/employees')).json(), [again.json()])
  })
}

t.test('a write whose time is over in its commit is unknown, not refused', async (t) => {
  const { url, store } = await postgresStore(t, { limits: { writes: { patienceMs: 500 } } })
  const { goOn, inCommit } = await commitsThatWait(t, url)
  const write = store.employees.create(ada)
  const outcome = t.rejects(write, { statusCode: 503, code: 'OUTCOME_UNKNOWN' })
  await inCommit()
  await outcome
  await goOn()
})

t.test('many at once are unknown, too, when the connection is lost in their commit', async (t) => {
  const { url, store } = await postgresStore(t)
  const { shell, inCommit } = await commitsThatWait(t, url)
  const write = store.employees.createMany([ada, ada])
  const outcome = t.rejects(write, { statusCode: 503, code: 'OUTCOME_UNKNOWN' })
  await shell.query('SELECT pg_terminate_backend($1)', [await inCommit()])
  await outcome
})

t.test('a commit that no standby has confirmed is no success', async (t) => {
  const server = await PostgresServer.start(t)
  const standby = await PostgresStandby.of(t, server)
  const app = await build(t, { databaseUrl: server.url() })
  const shell = await server.client()
  await standby.holdReplication()
  const answer = post(app)
  const pid = await found(
    shell,
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'",
  )
  await shell.query('SELECT pg_cancel_backend($1)', [pid])
  const { statusCode, body } = await answer
  t.equal(statusCode, 503)
  t.match(body, UNKNOWN)
  t.match(body, /no standby has confirmed it/)
  standby.releaseReplication()
  const again = await post(app)
  t.equal(again.statusCode, 201)
  t.strictSame((await app.inject('/employees')).json(), [again.json()])
})

t.test('a trigger of somebody else may warn of what it likes', async (t) => {
  const app = await build(t)
  const shell = await shellOf(t, app)
  await shell.run(`CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE WARNING 'somebody is created'; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON employees DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION warn();
    CREATE TRIGGER warn_at_once AFTER INSERT ON employees FOR EACH ROW EXECUTE FUNCTION warn()`)
  t.equal((await post(app)).statusCode, 201)
})

t.test('what is refused at the commit was not done, and is no 503', async (t) => {
  const app = await build(t)
  const shell = await shellOf(t, app)
  await shell.run(`ALTER TABLE employees ADD CONSTRAINT one_of_a_name UNIQUE (name)
    DEFERRABLE INITIALLY DEFERRED`)
  t.equal((await post(app)).statusCode, 201)
  const { statusCode } = await post(app, 'another')
  t.equal(statusCode, 500)
  t.equal((await app.inject('/employees')).json().length, 1)
})

interface Commit {
  proxy: FaultProxy
  shell: Shell
  /** Of the server's process that commits. */
  pid: number
  goOn: () => Promise<void>
}
type Shell = Awaited<ReturnType<typeof postgresClient>>

/** Has the server wait in the middle of each commit that creates somebody. */
async function commitsThatWait(t: Test, url: string) {
  const shell = await postgresClient(t, url)
  await shell.query(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON employees DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait();
    SELECT pg_advisory_lock(1)`)
  return {
    shell,
    async goOn() {
      await shell.query('SELECT pg_advisory_unlock_all()')
    },
    inCommit: () =>
      found(
        shell,
        `SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event = 'advisory' AND query = 'COMMIT'`,
      ),
  }
}

/** The id of the process that a query finds at last. */
async function found(shell: Shell, sql: string): Promise<number> {
  let pid: number | undefined
  await until(async () => {
    pid = (await shell.query(sql)).rows[0]?.pid
    return pid
  })
  return pid as number
}

async function count(shell: Shell): Promise<number> {
  return Number((await shell.query('SELECT count(*) FROM employees')).rows[0].count)
}

function post(app: App, key = 'ada') {
  return app.inject({
    method: 'POST',
    url: '/employees',
    headers: { 'idempotency-key': key },
    payload: ada,
  })
}

async function postUntilCreated(app: App) {
  let answer = await post(app)
  await until(async () => {
    if (answer.statusCode === 503) answer = await post(app)
    return answer.statusCode !== 503
  })
  return answer
}
