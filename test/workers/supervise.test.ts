// slow: each of its services is three processes
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { entries, read } from '../support/keys.js'
import { openShell } from '../support/shell.js'
import { expectedRows, shownViews } from '../support/shown-views.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'
import { isAlive, Workers } from '../support/workers.js'

t.test('workers share a port and a database, and a dead one is replaced', async (t) => {
  const workers = await Workers.start(t)
  const [first] = workers.pids as [number]
  process.kill(first, 'SIGKILL')
  await until(() => workers.pids.length === 3)
  t.match(workers.said('a worker died'), [
    { worker: first, signal: 'SIGKILL', delayMs: 100, message: /starting another in 100 ms/ },
  ])

  const shell = await openShell(t, workers.databaseUrl)
  const body = JSON.stringify({ name: 'Ada', salary: 120_000, department: 'Engineering' })
  const headers = { 'content-type': 'application/json', connection: 'close' }
  for (let count = 1; count <= 20; count++) {
    const created = await fetch(`${workers.url}/employees`, { method: 'POST', body, headers })
    t.equal(created.status, 201)
    const list = await fetch(`${workers.url}/employees`, { headers })
    t.equal(((await list.json()) as unknown[]).length, count)
    for (const { view, path } of shownViews) {
      const shown = await fetch(`${workers.url}${path}`, { headers })
      t.strictSame(await shown.json(), await expectedRows(shell, view), view.name)
    }
  }
})

t.test('one that dies again and again is replaced later and later', async (t) => {
  const workers = await Workers.start(t)
  const [survivor] = workers.pids
  for (let deaths = 1; deaths <= 4; deaths++) {
    process.kill(workers.pids.at(-1) as number, 'SIGKILL')
    await until(() => workers.pids.length === 2 + deaths)
  }
  const delays = workers.said('a worker died').map(({ delayMs }) => delayMs)
  t.strictSame(delays, [100, 200, 400, 800])
  t.ok(isAlive(survivor as number))
})

t.test('a replacement that cannot start is tried again, while the others serve', async (t) => {
  const keys = join(await temporaryDirectory(t), 'keys.txt')
  const good = entries.replace(',', '\n')
  await writeFile(keys, good)
  const workers = await Workers.start(t, { API_KEYS_FILE: keys })
  await writeFile(keys, 'no key')
  process.kill(workers.pids[0] as number, 'SIGKILL')
  await until(() => workers.said('a worker died').length >= 3)
  t.equal((await fetch(`${workers.url}/employees`, { headers: read })).status, 200)
  await writeFile(keys, good)
  await until(() => workers.pids.length === 3)
})

t.test('a first worker that cannot start ends the service with 1', async (t) => {
  const fail = `import cluster from 'node:cluster'
    if (cluster.isWorker) throw new Error('a fault')`
  const workers = await Workers.spawn(t, {
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(fail)}`,
  })
  t.equal(await workers.exit, 1)
  t.match(await workers.errors, 'a fault')
  t.match(workers.said('a worker could not start'), [{ 'log.level': 'fatal' }])
})

t.test('a database that cannot be opened is said once, and no worker is started', async (t) => {
  const workers = await Workers.spawn(t, { DATABASE_URL: 'file:/dev/null/employees.db' })
  t.equal(await workers.exit, 1)
  t.match(await workers.errors, /^DATABASE_URL=.*\n$/)
  t.strictSame(workers.lines, [])
})

t.test('a database in memory would be one for each worker, so it is refused', async (t) => {
  const workers = await Workers.spawn(t, { DATABASE_URL: 'file::memory:' })
  t.equal(await workers.exit, 2)
  t.match(await workers.errors, /^DATABASE_URL=file::memory: .* WEB_CONCURRENCY=2 .*\n$/)
})
