import t, { type Test } from 'tap'
import { WRITERS_LOCK } from '../../src/store/postgres/dialect.js'
import { dialect, newDatabase, onPostgres, onSqlite } from '../support/any-database.js'
import { type App, build } from '../support/build.js'
import { openShell, type Shell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { sqliteOf } from '../support/sqlite-of.js'
import { until } from '../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
/** How long a write waits for the lock of SQLite. */
const LOCK_TIMEOUT_MS = 5000
const paths = ['/employees', ...shownViews.map(({ path }) => path), '/employees/1']

/** What another writer holds until its commit. */
const LOCK =
  dialect === 'sqlite' ? 'BEGIN IMMEDIATE' : `BEGIN; SELECT pg_advisory_xact_lock(${WRITERS_LOCK})`

t.test(
  'SQLite: a full disk: 503 for writes, reads go on, writes resume, nothing is lost',
  onSqlite,
  async (t) => {
    const { app, other } = await withShell(t)
    const client = sqliteOf(app.db)
    const pages = client.pragma('page_count', { simple: true }) as number
    client.pragma(`max_page_count = ${pages + 3}`)
    const large = { ...ada, name: 'é'.repeat(100), department: 'ü'.repeat(100) }
    let created = 0
    let refused = await post(app, large)
    while (refused.statusCode === 201) {
      created++
      refused = await post(app, large)
    }
    t.ok(created > 0)
    t.match(refused.json(), { status: 503, detail: /SQLITE_FULL/ })
    await isRefused(t, app, refused)
    await showsAll(t, app, other, created)

    client.pragma('max_page_count = 1000000')
    t.equal((await post(app, ada)).statusCode, 201)
    await showsAll(t, app, other, created + 1)
  },
)

t.test(
  'PostgreSQL: a full disk, as it says of one: 503 for writes, reads go on, writes resume',
  onPostgres,
  async (t) => {
    const { app, other } = await withShell(t)
    await post(app, ada)
    await other.run(`
      CREATE FUNCTION be_full() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON employees EXECUTE FUNCTION be_full()`)
    const refused = await post(app, ada)
    t.match(refused.json(), { status: 503, detail: /53100/ })
    await isRefused(t, app, refused)
    await showsAll(t, app, other, 1)

    await other.run('DROP TRIGGER full_disk ON employees')
    t.equal((await post(app, ada)).statusCode, 201)
    await showsAll(t, app, other, 2)
  },
)

t.test('a locked database: writes wait for it, reads do not', async (t) => {
  const { app, other } = await withShell(t)
  if (dialect === 'sqlite') stopTime(t)
  await post(app, ada)
  await other.run(LOCK)
  let answered = false
  const write = post(app, ada).then((answer) => {
    answered = true
    return answer
  })
  // PostgreSQL itself counts how long a writer waits: a second, which no test can stop.
  for (let i = 0; i < (dialect === 'sqlite' ? 20 : 1); i++) {
    const reads = [...paths, '/livez']
    const answers = await Promise.all(reads.map((path) => app.inject(path)))
    t.strictSame(
      answers.map(({ statusCode }) => statusCode),
      reads.map(() => 200),
    )
  }
  t.notOk(answered)
  await other.run('COMMIT')
  t.equal((await write).statusCode, 201)
})

t.test('a database that stays locked: 503 with Retry-After, and nothing is written', async (t) => {
  const { app, other } = await withShell(t)
  const time = dialect === 'sqlite' ? stopTime(t) : undefined
  await other.run(LOCK)
  const posts = Promise.all([post(app, ada), post(app, ada)])
  if (time) {
    await until(async () => (await app.inject('/metrics')).body.includes('_writes_waiting 2\n'))
    time.pass(LOCK_TIMEOUT_MS)
  }
  for (const { statusCode, headers } of await posts) {
    t.equal(statusCode, 503)
    t.equal(headers['retry-after'], '1')
  }
  await other.run('COMMIT')
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('writes that share a commit are answered each in its own right', async (t) => {
  const { app } = await withShell(t)
  const { etag } = (await post(app, ada)).headers
  const put = (id: number, tag: unknown) =>
    app.inject({
      method: 'PUT',
      url: `/employees/${id}`,
      headers: { 'if-match': tag as string },
      payload: { salary: 130_000 },
    })
  const answers = await Promise.all([post(app, ada), put(9, etag), put(1, '"other"'), put(1, etag)])
  t.strictSame(
    answers.map(({ statusCode }) => statusCode),
    [201, 404, 412, 200],
  )
  t.strictSame(
    (await app.inject('/employees')).json().map(({ salary }: { salary: number }) => salary),
    [130_000, 120_000],
  )
})

/** A service, and somebody else at its database. */
async function withShell(t: Test) {
  const databaseUrl = await newDatabase(t)
  const app = await build(t, { databaseUrl })
  return { app, other: await openShell(t, databaseUrl) }
}

type Answer = Awaited<ReturnType<typeof post>>

async function isRefused(t: Test, app: App, { statusCode, headers }: Answer): Promise<void> {
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '1')
  t.match(headers['content-type'], 'application/problem+json')
  for (const path of paths) t.equal((await app.inject(path)).statusCode, 200, path)
}

/** So many are there, and every view shows what it must show of them. */
async function showsAll(t: Test, app: App, shell: Shell, count: number): Promise<void> {
  t.equal((await app.inject('/employees')).json().length, count)
  for (const { view, path } of shownViews) {
    t.strictSame((await app.inject(path)).json(), await expectedRows(shell, view), path)
  }
}

/** Until the test ends, no time passes by itself. */
function stopTime(t: Test) {
  let now = performance.now()
  t.intercept(performance, 'now', { value: () => now })
  return {
    pass(ms: number) {
      now += ms
    },
  }
}

function post(app: App, payload: object) {
  return app.inject({ method: 'POST', url: '/employees', payload })
}
