// slow: each of its services is three processes
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { halfRequest, postUntilRefused } from '../support/requests.js'
import { openShell } from '../support/shell.js'
import { until } from '../support/until.js'
import { isAlive, Workers } from '../support/workers.js'

t.test('SIGTERM under load closes all workers and loses no request', async (t) => {
  const workers = await Workers.start(t)
  const load = postUntilRefused(workers.url)
  await until(() => load.created > 100)
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 0)
  await load.end
  // Refused at the door, or while they still stood in the kernel's queue in front of it.
  for (const refusal of load.refusals)
    t.match(refusal, /^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/)
  const shell = await openShell(t, workers.databaseUrl)
  const rows = await shell.all('SELECT count(*) AS there FROM employees')
  t.strictSame(rows, [{ there: load.created }], 'whatever was accepted was answered')
})

t.test('who has not sent a whole head is not waited for', async (t) => {
  const workers = await Workers.start(t)
  const { hostname, port } = new URL(workers.url)
  for (const sent of ['', 'GET /livez HTTP/1.1\r\nHo', '', 'GET']) {
    const socket = connect(Number(port), hostname)
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(sent)
  }
  const begun = performance.now()
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 0)
  t.ok(performance.now() - begun < 3000, 'within 3 s')
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} to all processes at once, as by Ctrl-C, is no second signal`, async (t) => {
    const workers = await Workers.start(t)
    const [socket, rest] = await halfRequest(t, workers.url)
    workers.signalGroup(signal)
    await until(
      () => workers.said('closing').filter(({ message }) => message === 'closing').length === 2,
    )
    const answer = once(socket, 'data')
    socket.write(rest)
    t.match(`${(await answer)[0]}`, /^HTTP\/1.1 201 /)
    t.equal(await workers.exit, 0)
  })
}

t.test('a signal while some still start closes them when they have', async (t) => {
  const workers = await Workers.spawn(t, { WEB_CONCURRENCY: '4' })
  await until(() => workers.pids.length > 0)
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 0)
})

t.test('without their primary the workers finish what is under way, and end', async (t) => {
  const workers = await Workers.start(t)
  const [socket, rest] = await halfRequest(t, workers.url)
  workers.process.kill('SIGKILL')
  await until(() => workers.said('closing').length === 2)
  const answer = once(socket, 'data')
  socket.write(rest)
  t.match(`${(await answer)[0]}`, /^HTTP\/1.1 201 /)
  await until(() => !workers.pids.some(isAlive))
})

t.test('an error in the primary closes the workers in order, with 1', async (t) => {
  const fail = `import cluster from 'node:cluster'
    if (cluster.isPrimary) process.on('SIGWINCH', () => { throw new Error('a fault') })`
  const workers = await Workers.start(t, {
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(fail)}`,
  })
  const load = postUntilRefused(workers.url)
  await until(() => load.created > 10)
  workers.process.kill('SIGWINCH')
  t.equal(await workers.exit, 1)
  t.match(workers.said('closing the workers after an error'), [{ 'error.message': 'a fault' }])
  t.equal(workers.said('closing').length, 3, 'each of them said so')
  await load.end
})
