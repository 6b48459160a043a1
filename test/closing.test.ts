// slow: it waits until the service gives up on a request that hangs
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { dialect, newDatabase } from './support/any-database.js'
import { halfRequest, open, postUntilRefused } from './support/requests.js'
import { Service } from './support/service.js'
import { openShell } from './support/shell.js'
import { until } from './support/until.js'

const DRAIN_MS = 500
const drain = `
  import timers from 'node:timers/promises'
  import { syncBuiltinESMExports } from 'node:module'
  const { setTimeout } = timers
  timers.setTimeout = (ms, ...more) =>
    ms === ${DRAIN_MS} ? new Promise((end) => process.once('SIGWINCH', end)) : setTimeout(ms, ...more)
  syncBuiltinESMExports()`
/** Has a service go on serving, once it was told to close, for no half second but until SIGWINCH. */
const DRAIN_UNTIL_TOLD = `--import data:text/javascript,${encodeURIComponent(drain)}`

t.test('SIGTERM under load loses no request that was accepted', async (t) => {
  const { service, databaseUrl } = await start(t)
  const load = postUntilRefused(service.url)
  await until(() => load.created > 100)
  t.equal(await service.stop(), 0)
  await load.end
  // Refused at the door, or while they still stood in the kernel's queue in front of it.
  for (const refusal of load.refusals)
    t.match(refusal, /^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/)
  if (dialect === 'sqlite') {
    t.notOk(existsSync(`${databaseUrl.slice('file:'.length)}-wal`), 'the database was closed')
  }
  const shell = await openShell(t, databaseUrl)
  const rows = await shell.all('SELECT count(*) AS there FROM employees')
  t.strictSame(rows, [{ there: load.created }], 'whatever was accepted was answered')
})

t.test('an answer under way is finished', async (t) => {
  const { service, databaseUrl } = await start(t)
  const shell = await openShell(t, databaseUrl)
  await shell.run(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO employees (name, salary, department) SELECT 'somebody', 1, 'x' FROM n`)
  const list = await fetch(`${service.url}/employees`)
  const exit = service.stop()
  t.equal(((await list.json()) as unknown[]).length, 100_000)
  t.equal(await exit, 0)
})

t.test('/readyz turns 503 before the port is closed', async (t) => {
  const { service } = await start(t, { NODE_OPTIONS: DRAIN_UNTIL_TOLD })
  t.equal((await fetch(`${service.url}/readyz`)).status, 200)
  const exit = service.stop()
  await until(async () => (await fetch(`${service.url}/readyz`)).status === 503)
  const served = await fetch(`${service.url}/employees/high-salary`)
  t.equal(served.status, 200, 'and other requests are still served')
  t.equal(served.headers.get('connection'), 'close')
  service.process.kill('SIGWINCH')
  t.equal(await exit, 0)
})

t.test('who has not sent a whole head is not waited for', async (t) => {
  const { service } = await start(t)
  const silent = await open(t, service.url)
  const half = await open(t, service.url)
  half.write('GET /employees HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  const idle = await open(t, service.url)
  idle.write(LIVEZ)
  await once(idle, 'data')
  const answeredLast = await open(t, service.url)
  const behind = `${LIVEZ}GET /livez HTTP/1.1\r\nHo`
  answeredLast.write(behind)
  await once(answeredLast, 'data')
  const ends = [silent, half, idle, answeredLast].map((socket) => once(socket, 'close'))
  t.equal(await service.stop(), 0, 'in time')
  await Promise.all(ends)
})

t.test('a head that becomes whole while the service still serves is answered', async (t) => {
  const { service } = await start(t)
  const socket = await open(t, service.url)
  socket.write(LIVEZ.slice(0, -2))
  const exit = service.stop()
  await until(async () => (await fetch(`${service.url}/readyz`)).status === 503)
  socket.write(LIVEZ.slice(-2))
  t.match(await text(socket), /^HTTP\/1\.1 200 /)
  t.equal(await exit, 0)
})

t.test(
  'a request whose head is whole is waited for, and half a one behind it is not',
  async (t) => {
    const { service } = await start(t)
    const [socket, rest] = await halfRequest(t, service.url)
    const exit = service.stop()
    await until(() => isRefused(service.url))
    const answer = text(socket)
    socket.write(`${rest}GET /livez HTTP/1.1\r\nHo`)
    t.match(await answer, /^HTTP\/1\.1 201 /)
    t.equal(await exit, 0)
  },
)

t.test('a second SIGTERM ends it with 1', async (t) => {
  const { service } = await start(t, { NODE_OPTIONS: DRAIN_UNTIL_TOLD })
  await halfRequest(t, service.url)
  const exit = service.stop()
  await until(async () => (await fetch(`${service.url}/readyz`)).status === 503)
  // Those that come right behind the first one are the same, see below.
  await until(() => !service.process.kill('SIGTERM'))
  t.equal(await exit, 1)
})

t.test('a second SIGINT at once is the first, which npm passes on as well', async (t) => {
  const { service } = await start(t)
  const [socket, rest] = await halfRequest(t, service.url)
  const exit = service.stop('SIGINT')
  await until(async () => (await fetch(`${service.url}/readyz`)).status === 503)
  service.process.kill('SIGINT')
  const answer = text(socket)
  socket.write(rest)
  t.match(await answer, /^HTTP\/1\.1 201 /)
  t.equal(await exit, 0)
})

t.test('a request that hangs past the limit ends it with 1', async (t) => {
  const { service } = await start(t)
  await halfRequest(t, service.url)
  t.equal(await service.stop(), 1)
})

const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'

function isRefused(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => false,
    () => true,
  )
}

async function start(t: Test, env: NodeJS.ProcessEnv = {}) {
  const databaseUrl = await newDatabase(t)
  const service = await Service.start(t, { DATABASE_URL: databaseUrl, ...env })
  return { service, databaseUrl }
}
