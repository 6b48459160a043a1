// slow: each service is a process, and its clients are many
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { newDatabase } from './support/any-database.js'
import { outcome } from './support/outcome.js'
import { open } from './support/requests.js'
import { Service, withDescriptors } from './support/service.js'
import { until } from './support/until.js'
import { isAlive, Workers } from './support/workers.js'

/** As few as will do. */
const FEW = 256
const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'

t.test('more silent clients than descriptors: those who were there are served', async (t) => {
  const env = { DATABASE_URL: await newDatabase(t) }
  const service = await Service.start(t, env, withDescriptors(FEW))
  const early = await open(t, service.url)
  await isServed(t, early)
  const flood = await floodOf(t, service.url, 400)
  await isServed(t, early)
  for (const socket of flood) socket.destroy()
  await until(() => answers(service.url))
  t.strictSame(service.errors, [])
  t.equal(await service.stop(), 0)
})

t.test('workers bound theirs each, and their primary lives', async (t) => {
  const workers = await Workers.start(t, {}, FEW)
  const flood = await floodOf(t, workers.url, 400)
  await until(() => workers.said('too many connections').length === 2)
  for (const socket of flood) socket.destroy()
  await until(() => answers(workers.url))
  t.ok(workers.pids.length === 2 && workers.pids.every(isAlive), 'none had to be replaced')
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 0)
})

t.test('workers that stand still let clients pile up, and their primary lives', async (t) => {
  const workers = await Workers.start(t, {}, FEW)
  for (const pid of workers.pids) process.kill(pid, 'SIGSTOP')
  const flood = await Promise.all(Array.from({ length: 400 }, () => open(t, workers.url)))
  await delay(500)
  for (const pid of workers.pids) process.kill(pid, 'SIGCONT')
  for (const socket of flood) socket.destroy()
  await until(() => answers(workers.url))
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 0)
})

t.test('a process whose files take all that it may have open lives', async (t) => {
  const eat = `import { closeSync, openSync } from 'node:fs'
    process.on('SIGWINCH', () => {
      const open = []
      try { for (;;) open.push(openSync('/dev/null')) } catch {}
      setTimeout(() => open.forEach((each) => closeSync(each)), 6000)
    })`
  const service = await Service.start(
    t,
    {
      DATABASE_URL: await newDatabase(t),
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(eat)}`,
    },
    withDescriptors(FEW),
  )
  const early = await open(t, service.url)
  await isServed(t, early)
  service.process.kill('SIGWINCH')
  await delay(100)
  await isServed(t, early)
  for (let count = 0; count < 10; count++) await open(t, service.url)
  await until(() => answers(service.url))
  t.equal(await service.stop(), 0)
})

t.test('a start with too few, or with more connections than descriptors, says so', async (t) => {
  for (const [descriptors, env, message] of [
    [32, {}, /^The process may open 32 files, .*: let it open 256 or more/],
    [230, {}, /^The process may open 230 files, .*: let it open 256 or more/],
    [FEW, { MAX_CONNECTIONS: '65' }, /^MAX_CONNECTIONS must be at most 64, not 65: /],
  ] as const) {
    const [program, ...parameters] = withDescriptors(descriptors)
    const child = spawn(program, parameters, { env: { PATH: process.env.PATH, ...env } })
    t.teardown(() => child.kill('SIGKILL'))
    const { code, stderr } = await outcome(child)
    t.equal(code, 2)
    t.match(stderr, message)
  }
})

/** So many silent connections, once every one is accepted or ended. */
async function floodOf(t: Test, url: string, count: number): Promise<Socket[]> {
  const flood: Socket[] = []
  let ended = 0
  for (let i = 0; i < count; i++) {
    const socket = await open(t, url)
    socket.on('close', () => ended++)
    socket.resume()
    flood.push(socket)
  }
  await until(() => ended >= count - FEW)
  return flood
}

async function isServed(t: Test, socket: Socket): Promise<void> {
  socket.write(LIVEZ)
  t.match(`${await once(socket, 'data')}`, /^HTTP\/1\.1 200 /)
}

function answers(url: string): Promise<boolean> {
  return fetch(`${url}/livez`, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}
