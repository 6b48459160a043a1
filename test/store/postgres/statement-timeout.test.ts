// slow: statements are given up
import { text } from 'node:stream/consumers'
import t from 'tap'
import { Connection } from '../../../src/store/postgres/connection.js'
import { type Primary, within } from '../../../src/store/postgres/primary.js'
import { Snapshots } from '../../../src/store/postgres/snapshots.js'
import { openPostgres, postgresStore } from '../../support/open-postgres.js'
import { postgresClient } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { until } from '../../support/until.js'

/** Of each statement a minute, for which nobody waits. */
const LONG = 'SELECT pg_sleep(60)'
const ADA = { name: 'Ada', salary: 120_000, department: 'Engineering' }

/** Whatever reads, by a statement that takes long. */
const readers: Record<string, (primary: Primary) => Promise<unknown>> = {
  'an employee': (primary) => primary.do(({ reader }) => reader.query(LONG)),
  versions: (primary) => primary.do(({ probe }) => probe.query(LONG)),
  'a snapshot': (primary) => new Snapshots(primary).open('list', { text: LONG, values: [] }),
}

for (const [what, read] of Object.entries(readers)) {
  t.test(`${what}: what is given up ends in the server, too`, async (t) => {
    const url = await postgresDatabase(t)
    const { primary } = await openPostgres(t, url)
    const shell = await postgresClient(t, url)
    const isThere = async () => {
      const { rowCount } = await shell.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      )
      return rowCount !== 0
    }
    const started = performance.now()
    const given = t.rejects(read(primary), { statusCode: 503, code: 'DATABASE_UNAVAILABLE' })
    await until(isThere)
    await given
    await until(async () => !(await isThere()))
    const ms = performance.now() - started
    t.ok(ms < 10_000, `${ms} ms`)
  })
}

t.test('what the server has cancelled is a 503, and costs no connection', async (t) => {
  const { db } = await postgresStore(t)
  const { reader } = await db.primary.session()
  await reader.query('SET statement_timeout = 50')
  const asked = db.primary.do((session) => session.reader.query(LONG))
  await t.rejects(asked, { statusCode: 503, message: /\(57014\); nothing was changed/ })
  t.equal((await db.primary.session()).reader, reader)
  t.notOk(reader.isLost)
})

t.test('a statement_timeout of the URL, or of the role, ends nothing', async (t) => {
  const url = new URL(await postgresDatabase(t))
  url.searchParams.set('options', '-c statement_timeout=1')
  const { db, store } = await postgresStore(t, {}, url.href)
  const { host, probe, reader, writer } = await db.primary.session()
  // As beats have one, and whoever brings the schema up to date.
  const other = await Connection.open(host)
  t.teardown(() => other.destroy())
  const timeouts = await Promise.all(
    [probe, reader, writer, other].map(async (connection) => {
      const { rows } = await connection.query<{ ms: string }>(
        `SELECT setting AS ms FROM pg_settings WHERE name = 'statement_timeout'`,
      )
      return rows[0]?.ms
    }),
  )
  t.strictSame(timeouts, ['2500', '2500', '0', '0'])

  const shell = await postgresClient(t, url.href.replace(/\?.*/, ''))
  await shell.query('BEGIN; LOCK TABLE employees IN EXCLUSIVE MODE')
  const created = store.employees.create(ADA)
  await t.rejects(within(300, created, 'it waits'), /it waits/)
  await shell.query('COMMIT')
  await created
  t.match(JSON.parse(await text(await store.employees.list({}))), [ADA])
})
