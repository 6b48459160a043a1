import t from 'tap'
import type { Connection } from '../../../src/store/postgres/connection.js'
import { assertDurable, assertSuitable } from '../../../src/store/postgres/suitable.js'
import { openPostgres } from '../../support/open-postgres.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { until } from '../../support/until.js'

const GOOD = { version: 14, encoding: 'UTF8', isStandby: false, isReadOnly: false }

t.test('a server is PostgreSQL 14 or newer, in UTF8, and takes writes', async (t) => {
  await assertSuitable(saying(GOOD))
  await t.rejects(assertSuitable(saying({ ...GOOD, version: 13 })), {
    name: 'UnusableDatabase',
    message: 'it is PostgreSQL 13: use 14 or newer',
  })
  await t.rejects(assertSuitable(saying({ ...GOOD, encoding: 'LATIN1' })), {
    name: 'UnusableDatabase',
  })
  await t.rejects(assertSuitable(saying({ ...GOOD, isStandby: true })), { name: 'NotPrimary' })
  await t.rejects(assertSuitable(saying({ ...GOOD, isReadOnly: true })), { name: 'NotPrimary' })
})

t.test('commits are durable, whatever the settings of a server say', async (t) => {
  const server = await PostgresServer.start(t, { settings: { synchronous_commit: 'off' } })
  const db = await openPostgres(t, server.url())
  const { writer } = await db.primary.session()
  t.strictSame((await writer.query('SHOW synchronous_commit')).rows, [{ synchronous_commit: 'on' }])
  await writer.query("SELECT set_config('synchronous_commit', 'remote_apply', false)")
  await assertDurable(writer)
  const { rows } = await writer.query('SHOW synchronous_commit')
  t.strictSame(rows, [{ synchronous_commit: 'remote_apply' }], 'more than that stays')
})

t.test('a start waits for a server for so long, and tells of each', async (t) => {
  const url = 'postgres://me:secret@127.0.0.1:1,127.0.0.1:2/employees'
  let told: Error | undefined
  // A busy machine may not get to ask each in that time.
  await until(async () => {
    told = await openPostgres(t, url, { startMs: 100 }).then(
      () => undefined,
      (error: Error) => error,
    )
    return !told?.message.includes('it was not asked yet')
  })
  t.match(told, {
    name: 'UnusableDatabase',
    message:
      'DATABASE_URL: no server takes writes: start one, or name it (127.0.0.1:1: ECONNREFUSED; 127.0.0.1:2: ECONNREFUSED)',
  })
})

/** A connection to a server that says this of itself. */
function saying(row: typeof GOOD): Connection {
  return { query: async () => ({ rows: [row] }) } as unknown as Connection
}
