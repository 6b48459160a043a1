// slow: PostgreSQL servers are made, killed and started again
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import type { QueryConfig } from 'pg'
import t, { type Test } from 'tap'
import { FaultProxy } from './fault-proxy.js'
import { queryOnce } from './postgres-client.js'
import { postgresDatabase } from './postgres-database.js'
import { PostgresServer } from './postgres-server.js'
import { PostgresStandby } from './postgres-standby.js'
import { haveEnded } from './processes.js'
import { scoped } from './scope.js'
import { until } from './until.js'

const TABLE = 'CREATE TABLE numbers (number integer)'
const INSERT = 'INSERT INTO numbers VALUES (1)'

t.test('what was committed survives a kill of all its processes', async (t) => {
  const server = await serverWithTable(t)
  const client = await server.client()
  await client.query(INSERT)
  const unanswered = t.rejects(client.query('SELECT pg_sleep(60)'))
  await server.stop()
  await unanswered
  await t.rejects(server.client(), { code: 'ECONNREFUSED' })
  await server.start()
  t.equal(await count(server), 1)
})

t.test('a server that is frozen answers nobody until it goes on', async (t) => {
  const server = await serverWithTable(t)
  const [one, other] = [await server.client(), await server.client()]
  await server.freeze()
  let isAnswered = false
  const insert = one.query(INSERT).then(() => {
    isAnswered = true
  })
  const impatient = { text: 'SELECT 1', query_timeout: 100 } as QueryConfig
  await t.rejects(other.query(impatient), /timeout/)
  t.notOk(isAnswered)
  server.thaw()
  await insert
  t.equal(await count(server), 1)
})

t.test('a frozen server ends with the process that started it', async (t) => {
  const program = `
    import { readFileSync } from 'node:fs'
    import { PostgresServer } from '${new URL('./postgres-server.js', import.meta.url)}'
    const server = await PostgresServer.start({ teardown() {} })
    await server.freeze()
    console.log(readFileSync(server.data + '/postmaster.pid', 'utf8'))
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program])
  const [postmaster, data] = (await text(child.stdout)).split('\n')
  t.match(data, /.data$/)
  await until(() => haveEnded([Number(postmaster)]))
  await until(() => !existsSync(dirname(`${data}`)))
})

t.test('what a primary has confirmed is on its standby', async (t) => {
  const primary = await serverWithTable(t)
  const standby = await PostgresStandby.of(t, primary)
  await queryOnce(primary.url(), INSERT)

  await standby.holdReplication()
  let isConfirmed = false
  const second = queryOnce(primary.url(), INSERT).then(() => {
    isConfirmed = true
  })
  const waiting = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
  await until(async () => (await queryOnce(primary.url(), waiting)).rowCount)
  t.notOk(isConfirmed)
  standby.releaseReplication()
  await second

  await primary.stop()
  await standby.promote()
  t.equal(await count(standby), 2)
  await queryOnce(standby.url(), INSERT)
  t.equal(await count(standby), 3)
})

t.test('a server that is behind a proxy is away as the proxy says', async (t) => {
  const proxy = await FaultProxy.start(t, (await serverWithTable(t)).url())
  await queryOnce(proxy.url, INSERT)
  proxy.fault = 'refuse'
  await t.rejects(queryOnce(proxy.url, INSERT))
  proxy.fault = 'none'
  await queryOnce(proxy.url, INSERT)
})

t.test('databases of one server are apart, and dropped with their scope', async (t) => {
  const [one, other] = [await postgresDatabase(t), await postgresDatabase(t)]
  await queryOnce(one, TABLE)
  await queryOnce(other, TABLE)
  const dropped = await scoped(async (scope) => {
    const url = await postgresDatabase(scope)
    await queryOnce(url, TABLE)
    return url
  })
  await t.rejects(queryOnce(dropped, TABLE), { code: '3D000' })
})

async function serverWithTable(t: Test): Promise<PostgresServer> {
  const server = await PostgresServer.start(t)
  await queryOnce(server.url(), TABLE)
  return server
}

async function count(server: PostgresServer): Promise<number> {
  const { rowCount } = await queryOnce(server.url(), 'SELECT FROM numbers')
  return rowCount ?? 0
}
