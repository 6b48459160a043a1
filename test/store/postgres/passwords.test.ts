import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { hostsOf } from '../../../src/store/postgres/hosts.js'
import { openPostgres } from '../../support/open-postgres.js'
import { queryOnce } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { SERVER } from '../../support/service.js'
import { until } from '../../support/until.js'

/** However it is escaped. */
const PART = 'nobody-knows'
/** What a URL has a meaning for, and what it has none for. */
const PASSWORD = `${PART}s:e/c?r#e@t %&[]+"'\\ñ€😀`

t.test('a password may have any characters, percent-encoded', async (t) => {
  const url = await userWith(t, PASSWORD)
  const db = await openPostgres(t, url)
  const { reader } = await db.primary.session()
  const { rows } = await reader.query<{ me: string }>('SELECT current_user AS me')
  t.equal(rows[0]?.me, new URL(url).username)
})

t.test('nothing that shows a database shows its password', async (t) => {
  const url = await userWith(t, PASSWORD)
  const db = await openPostgres(t, url)
  const session = await db.primary.session()
  const error = await session.reader.query('SELECT nonsense').catch((reason) => reason)
  const store = db.createStore({})
  t.teardown(() => store.close())
  for (const shown of [db, db.primary, session, hostsOf(url), error, store, store.stats()]) {
    const text = inspect(shown, { depth: 20, showHidden: true })
    hasNone(t, text)
  }
})

t.test('a service that runs writes its password into no log', async (t) => {
  const url = await userWith(t, PASSWORD)
  const child = spawn(process.execPath, [SERVER], {
    env: { PATH: process.env.PATH, PORT: '0', DATABASE_URL: url, LOG_LEVEL: 'trace' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  const hear = (bytes: Buffer) => (said += bytes)
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = once(child, 'close')
  const address = () => /http:\/\/127[\d.:]+/.exec(said)?.[0]
  await until(address)
  const get = () => fetch(`${address()}/employees/1`)
  t.equal((await get()).status, 404)
  // Its user has another password now, and its connections are lost.
  const { username } = new URL(url)
  await queryOnce(
    withoutUser(url),
    `ALTER ROLE ${username} PASSWORD 'another';
     SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${username}'`,
  )
  await until(async () => (await get()).status === 503)
  child.kill('SIGTERM')
  await ended
  t.match(said, /the primary of the database was lost/)
  hasNone(t, said)
})

function hasNone(t: Test, text: string): void {
  t.notMatch(text, PART)
}

/** The URL of a database of the user's own, whose password is this. */
async function userWith(t: Test, password: string): Promise<string> {
  const url = await postgresDatabase(t)
  const name = new URL(url).pathname.slice(1)
  await queryOnce(url, `CREATE ROLE ${name} LOGIN PASSWORD '${password.replaceAll("'", "''")}'`)
  t.teardown(async () => {
    await queryOnce(url, `DROP OWNED BY ${name} CASCADE`)
    await queryOnce(url, `DROP ROLE ${name}`)
  })
  await queryOnce(url, `GRANT ALL ON SCHEMA public TO ${name}`)
  const own = new URL(url)
  own.username = name
  return own.href.replace(/:[^:@]*@/, `:${encodeURIComponent(password)}@`)
}

function withoutUser(url: string): string {
  const own = new URL(process.env.TEST_POSTGRES_URL as string)
  own.pathname = new URL(url).pathname
  return own.href
}
