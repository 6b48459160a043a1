// slow: a primary and its standby are started
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { queryOnce } from '../../support/postgres-client.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { PostgresStandby } from '../../support/postgres-standby.js'
import { Service } from '../../support/service.js'
import { until } from '../../support/until.js'

const LEASE_MS = 500
/** So many of them take longer than a lease, of which each is a fifth apart from the next. */
const BEATS = 10
const BEAT = 'pg_logical_emit_message'
const VIEW = '/employees/high-salary'

const primary = await PostgresServer.start(t)
const database = await primary.createDatabase()
const standby = await PostgresStandby.of(t, primary)
const { host } = new URL(database)
const { url } = await Service.start(t, {
  DATABASE_URL: database.replace(host, `${host},127.0.0.1:${standby.port}`),
  DATABASE_LEASE_MS: `${LEASE_MS}`,
})

t.beforeEach(() => standby.holdReplication())
t.afterEach(() => standby.releaseReplication())

t.test('a commit whose wait for the standby is cancelled is not acknowledged', async (t) => {
  const creating = fetch(`${url}/employees`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ada', salary: 120_000, department: 'Engineering' }),
  })
  await until(() => cancelled("query = 'COMMIT'"))
  const answer = await creating
  t.equal(answer.status, 503)
  t.match(await answer.json(), {
    detail: /no standby has confirmed it.*it was done, or it was not/,
  })
})

t.test('a beat whose wait for the standby is cancelled proves nothing', async (t) => {
  let count = 0
  let isOver = false
  const cancelling = (async () => {
    while (!isOver) {
      count += await cancelled(`query LIKE '%${BEAT}%'`)
      await delay(5)
    }
  })()
  await until(() => count > BEATS)
  const answer = await fetch(`${url}${VIEW}`)
  isOver = true
  await cancelling
  t.equal(answer.status, 503)
  t.match(await answer.json(), { detail: /it is not sure who is primary/ })
  standby.releaseReplication()
  await until(async () => (await fetch(`${url}${VIEW}`)).status === 200)
})

/** Cancels what waits for the standby; says how many those were. */
async function cancelled(which: string): Promise<number> {
  const { rowCount } = await queryOnce(
    primary.url(),
    `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND ${which}`,
  )
  return rowCount ?? 0
}
