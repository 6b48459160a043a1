import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { temporaryDirectory } from './support/build.js'
import { freePort } from './support/redis-server.js'
import { until } from './support/until.js'

t.test(
  'WEB_CONCURRENCY workers share a port and a database, and a dead one is replaced',
  async (t) => {
    const { supervisor, pids, url } = await start(t)
    await until(() => pids.size === 2)
    const [first] = pids
    process.kill(first as number, 'SIGKILL')
    await until(() => pids.size === 3)

    const body = JSON.stringify({ name: 'Ada', salary: 120_000, department: 'Engineering' })
    const headers = { 'content-type': 'application/json', connection: 'close' }
    for (let count = 1; count <= 20; count++) {
      const created = await fetch(`${url}/employees`, { method: 'POST', body, headers })
      t.equal(created.status, 201)
      const high = await fetch(`${url}/employees/high-salary`, { headers: { connection: 'close' } })
      t.equal(((await high.json()) as unknown[]).length, count)
    }

    supervisor.kill('SIGTERM')
    t.strictSame(await once(supervisor, 'exit'), [0, null])
  },
)

t.test('workers that cannot start end the service with 1', async (t) => {
  const { supervisor } = await start(t, { DATABASE_URL: 'file:/dev/null/employees.db' })
  t.strictSame(await once(supervisor, 'exit'), [1, null])
})

async function start(t: Test, env: NodeJS.ProcessEnv = {}) {
  const port = await freePort()
  const directory = await temporaryDirectory(t)
  const supervisor = spawn(
    process.execPath,
    [fileURLToPath(new URL('../src/server.js', import.meta.url))],
    {
      env: {
        PATH: process.env.PATH,
        WEB_CONCURRENCY: '2',
        PORT: `${port}`,
        DATABASE_URL: `file:${join(directory, 'employees.db')}`,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  t.teardown(() => supervisor.kill('SIGKILL'))
  const pids = new Set<number>()
  createInterface({ input: supervisor.stdout }).on('line', (line) => {
    const { msg, pid } = JSON.parse(line)
    if (msg.startsWith('Server listening')) pids.add(pid)
  })
  return { supervisor, pids, url: `http://127.0.0.1:${port}` }
}
