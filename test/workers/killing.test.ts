// slow: each of its services is three processes
import t from 'tap'
import { halfRequest } from '../support/requests.js'
import { until } from '../support/until.js'
import { isAlive, Workers } from '../support/workers.js'

t.test('a second signal ends all at once, with 1', async (t) => {
  const workers = await Workers.start(t)
  await halfRequest(t, workers.url)
  workers.process.kill('SIGTERM')
  await until(() => workers.said('closing').length >= 2)
  // Those that come right behind the first one are the same.
  await until(() => {
    workers.process.kill('SIGTERM')
    return workers.said('a second SIGTERM').length > 0
  })
  t.equal(await workers.exit, 1)
  t.match(workers.said('a second SIGTERM: killing'), [{ 'log.level': 'error' }])
  await until(() => !workers.pids.some(isAlive))
})

t.test('a worker that hangs is killed in the end, with 1', async (t) => {
  const workers = await Workers.start(t)
  process.kill(workers.pids[0] as number, 'SIGSTOP')
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 1)
  t.match(workers.said('not closed in 10 s: killing'), [{ 'log.level': 'error' }])
  await until(() => !workers.pids.some(isAlive))
})

t.test('a worker that dies while all close makes it 1', async (t) => {
  const workers = await Workers.start(t)
  await halfRequest(t, workers.url)
  workers.process.kill('SIGTERM')
  await until(() => workers.said('closing').length === 3)
  for (const pid of workers.pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
  t.equal(await workers.exit, 1)
})
