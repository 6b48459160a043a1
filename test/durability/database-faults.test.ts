import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { type App, build, temporaryDirectory } from '../support/build.js'
import { sqliteShell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { sqliteOf } from '../support/sqlite-of.js'
import { until } from '../support/until.js'

const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
/** How long a write waits for the lock. */
const LOCK_TIMEOUT_MS = 5000
const paths = ['/employees', ...shownViews.map(({ path }) => path), '/employees/1']

t.test('a full disk: 503 for writes, reads go on, writes resume, nothing is lost', async (t) => {
  const { app } = await overFile(t)
  const client = sqliteOf(app.db)
  client.pragma(`max_page_count = ${(client.pragma('page_count', { simple: true }) as number) + 3}`)
  const large = { ...ada, name: 'é'.repeat(100), department: 'ü'.repeat(100) }
  let created = 0
  let refused = await post(app, large)
  while (refused.statusCode === 201) {
    created++
    refused = await post(app, large)
  }
  t.ok(created > 0)
  t.equal(refused.statusCode, 503)
  t.equal(refused.headers['retry-after'], '1')
  t.match(refused.headers['content-type'], 'application/problem+json')
  t.match(refused.json(), { status: 503, detail: /SQLITE_FULL/ })
  for (const path of paths) t.equal((await app.inject(path)).statusCode, 200, path)
  await showsAll(t, app, created)

  client.pragma('max_page_count = 1000000')
  t.equal((await post(app, ada)).statusCode, 201)
  await showsAll(t, app, created + 1)
})

t.test('a locked database: writes wait for it, reads do not', async (t) => {
  const { app, other } = await overFile(t)
  stopTime(t)
  await post(app, ada)
  other.exec('BEGIN IMMEDIATE')
  let answered = false
  const write = post(app, ada).then((answer) => {
    answered = true
    return answer
  })
  for (let i = 0; i < 20; i++) {
    for (const path of [...paths, '/livez']) {
      t.equal((await app.inject(path)).statusCode, 200, path)
    }
  }
  t.notOk(answered)
  other.exec('COMMIT')
  t.equal((await write).statusCode, 201)
})

t.test('a database that stays locked: 503 with Retry-After, and nothing is written', async (t) => {
  const { app, other } = await overFile(t)
  const time = stopTime(t)
  other.exec('BEGIN IMMEDIATE')
  const posts = Promise.all([post(app, ada), post(app, ada)])
  await until(async () => (await app.inject('/metrics')).body.includes('_writes_waiting 2\n'))
  time.pass(LOCK_TIMEOUT_MS)
  const answers = await posts
  for (const { statusCode, headers } of answers) {
    t.equal(statusCode, 503)
    t.equal(headers['retry-after'], '1')
  }
  other.exec('COMMIT')
  t.strictSame((await app.inject('/employees')).json(), [])
})

t.test('writes that share a commit are answered each in its own right', async (t) => {
  const { app } = await overFile(t)
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

async function overFile(t: Test) {
  const path = join(await temporaryDirectory(t), 'employees.db')
  const app = await build(t, { databaseUrl: `file:${path}` })
  const other = new Sqlite(path)
  t.teardown(() => other.close())
  return { app, other }
}

/** So many are there, and every view shows what it must show of them. */
async function showsAll(t: Test, app: App, count: number): Promise<void> {
  t.equal((await app.inject('/employees')).json().length, count)
  for (const { view, path } of shownViews) {
    t.strictSame(
      (await app.inject(path)).json(),
      await expectedRows(sqliteShell(sqliteOf(app.db)), view),
      path,
    )
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
