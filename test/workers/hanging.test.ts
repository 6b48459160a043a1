// slow: a worker hangs until its primary has noticed
// no database: it is the primary that notices, and a process that is killed
import t from 'tap'
import { freePort } from '../support/free-port.js'
import { open } from '../support/requests.js'
import { until } from '../support/until.js'
import { isAlive, Workers } from '../support/workers.js'

t.test('a worker that hangs is killed and replaced, and no client waits longer', async (t) => {
  const workers = await Workers.start(t)
  const [first, other] = workers.pids as [number, number]
  const url = `${workers.url}/readyz`
  process.kill(first, 'SIGSTOP')

  // One of them may be given to it; it is ended with it, though it was never taken.
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      fetch(url, { headers: { connection: 'close' } }).then(
        ({ status }) => status,
        () => 'ended',
      ),
    ),
  )
  t.strictSame(answers.filter((answer) => answer !== 200).length <= 1, true, `${answers}`)
  await until(() => workers.pids.length === 3)
  t.match(workers.said('a worker hangs'), [
    { 'log.level': 'error', worker: first, message: /no answer for 5 s/ },
  ])
  t.match(workers.said('a worker died'), [{ worker: first, signal: 'SIGKILL', delayMs: 100 }])
  t.notOk(isAlive(first))

  process.kill(other, 'SIGKILL')
  await until(() => workers.said('a worker died').length === 2)
  const { status } = await fetch(url, { headers: { connection: 'close' } })
  t.equal(status, 200, 'the replacement serves')
})

t.test('when all hang, each client is served by a replacement or ended', async (t) => {
  // For a time nobody listens, and any port would be another one then.
  const workers = await Workers.start(t, { PORT: `${await freePort()}` })
  const sockets = await Promise.all(Array.from({ length: 10 }, () => open(t, workers.url)))
  let ended = 0
  for (const socket of sockets) socket.on('close', () => ended++).resume()
  for (const pid of workers.pids) process.kill(pid, 'SIGSTOP')
  const head = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  for (const socket of sockets) socket.write(head)
  await until(() => ended === sockets.length)
  await until(() => workers.pids.length === 4)
  t.equal((await fetch(`${workers.url}/livez`)).status, 200)
})
