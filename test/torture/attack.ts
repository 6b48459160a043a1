import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { makePeople } from '../../src/bulk/people.js'
import { EXIT, run } from '../../src/commands/command.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openDatabase } from '../../src/store/sqlite/database.js'
import { type Scope, scoped } from '../support/scope.js'
import { Service, withDescriptors } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const HELP = `
Strangers with addresses of their own (127.0.0.2 and further, as Linux has them) open more silent
connections than there are descriptors, pipeline lists that they do not read, and pipeline pages; a
writer creates employees as fast as it can. Meanwhile another client asks like anybody. It fails if a
limit did not hold, or the process died.`

interface Options {
  seconds: number
  employees: number
}

const command = new Command('npm run attack --')
  .description('Attacks a service of its own, and says what others notice.')
  .option('--seconds <number>', 'how long', positive, 60)
  .option('--employees <number>', 'how many there are', positive, 100_000)
  .addHelpText('after', HELP)
  .action(async (options) => {
    const isGood = await scoped((scope) => attack(scope, options))
    process.exitCode = isGood ? EXIT.ok : EXIT.failed
  })

/** Those of the issue that this command was written for. */
const LIMITS = { livezP99Ms: 250, readP99Ms: 2000, logBytes: 200e6, unreadSeconds: 120 }
const DESCRIPTORS = 512
const HEAD = 'HTTP/1.1\r\nHost: localhost\r\n\r\n'

await run(command)

/** Says whether the limits held. */
async function attack(scope: Scope, { seconds, employees }: Options): Promise<boolean> {
  const path = join(await temporaryDirectory(scope), 'employees.db')
  const { $client } = openDatabase(`file:${path}`)
  await bulkLoad($client, makePeople(employees, 100, 1))
  $client.close()
  const env = { DATABASE_URL: `file:${path}` }
  const service = await Service.start(scope, env, withDescriptors(DESCRIPTORS))
  const { port } = new URL(service.url)
  const end = new AbortController()
  const sockets = new Set<Socket>()
  scope.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })

  /** A connection from an address, which sends this and reads nothing. */
  const open = (localAddress: string, text = '') => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress })
    socket.on('error', () => {}).pause()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    if (text) socket.write(text)
    return socket
  }
  /** So many connections, and another one for each that is ended. */
  const keep = (localAddress: string, count: number, text = '') => {
    const again = async () => {
      while (!end.signal.aborted) {
        await once(open(localAddress, text).resume(), 'close')
        await delay(100)
      }
    }
    for (let i = 0; i < count; i++) again()
  }

  const since = performance.now()
  let unread = Number.POSITIVE_INFINITY
  const reader = open('127.0.0.3', `GET /employees ${HEAD}`.repeat(60))
  await once(reader, 'connect')
  const { localPort = 0 } = reader
  for (let i = 0; i < 20; i++) open(`127.0.1.${1 + i}`, `GET /employees ${HEAD}`.repeat(60))
  keep('127.0.0.2', 400)
  keep('127.0.0.4', 2, `GET /employees?limit=1000 ${HEAD}`.repeat(200))
  const written = writeUntil(end.signal, service.url)

  const look = () => {
    if (unread < Number.POSITIVE_INFINITY || isEstablished(localPort)) return
    unread = (performance.now() - since) / 1000
  }
  const livez = ask(end.signal, `${service.url}/livez`, 20)
  const reads = ['/employees/high-salary', '/employees/top2-by-department', '/employees/1'].map(
    (path) => ask(end.signal, `${service.url}${path}`, 50),
  )
  let log = 0
  let memory = 0
  while (performance.now() - since < seconds * 1000) {
    log = Math.max(log, statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)
    const [, kB = '0'] = /VmRSS:\s+(\d+)/.exec(statusOf(service.process.pid)) ?? []
    memory = Math.max(memory, Number(kB) * 1024)
    look()
    await delay(50)
  }
  end.abort()
  const answered = await Promise.all([livez, ...reads])
  const isAlive = service.process.exitCode === null
  // The rest of the time that a reader which reads nothing may have.
  while (
    unread === Number.POSITIVE_INFINITY &&
    performance.now() - since < 1000 * LIMITS.unreadSeconds
  ) {
    look()
    await delay(100)
  }
  const report = {
    'created by the writer': await written,
    'RSS, at most (MB)': Math.round(memory / 1e6),
    'write-ahead log, at most (MB)': Math.round(log / 1e6),
    'a reader that reads nothing was ended after (s)': Math.round(unread),
  }
  console.table(report)
  console.table(answered)
  const [first, ...others] = answered
  return (
    isAlive &&
    log < LIMITS.logBytes &&
    unread < LIMITS.unreadSeconds &&
    answered.every(({ failed }) => failed === 0) &&
    first !== undefined &&
    first.p99 < LIMITS.livezP99Ms &&
    others.every(({ p99 }) => p99 < LIMITS.readP99Ms)
  )
}

/** Whether the service still has its end of the connection from that port of a client's. */
function isEstablished(clientPort: number): boolean {
  const port = clientPort.toString(16).toUpperCase().padStart(4, '0')
  // local address, remote address, state (include/net/tcp_states.h)
  return new RegExp(`: \\w+:\\w+ 0300007F:${port} 01 `).test(readFileSync('/proc/net/tcp', 'utf8'))
}

function statusOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // It has died, or this is not Linux.
  }
}

/** Asks again and again, like anybody: on one connection, with a pause. Times in milliseconds. */
async function ask(signal: AbortSignal, url: string, pauseMs: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times = createHistogram({ figures: 3 })
  let failed = 0
  while (!signal.aborted) {
    const start = performance.now()
    const status = await new Promise<number>((resolve) => {
      get(url, { agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      }).on('error', () => resolve(0))
    })
    times.record(Math.max(1, Math.round((performance.now() - start) * 1000)))
    if (status !== 200) failed++
    await delay(pauseMs)
  }
  agent.destroy()
  const ms = (quantile: number) => times.percentile(quantile) / 1000
  return {
    url: new URL(url).pathname,
    asked: times.count,
    failed,
    p50: ms(50),
    p99: ms(99),
    max: ms(100),
  }
}

/** Creates employees from 50 connections as fast as they are answered; resolves with how many. */
async function writeUntil(signal: AbortSignal, url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50, localAddress: '127.0.0.5' })
  const body = JSON.stringify({ name: 'n'.repeat(100), salary: 150_000, department: 'Sales' })
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  let created = 0
  const one = () =>
    new Promise<void>((resolve) => {
      const post = request(`${url}/employees`, { method: 'POST', agent, headers }, (response) => {
        if (response.statusCode === 201) created++
        response.resume().on('close', resolve)
      })
      post.on('error', () => resolve()).end(body)
    })
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (!signal.aborted) await one()
    }),
  )
  agent.destroy()
  return created
}

function positive(value: string): number {
  if (Number(value) > 0) return Number(value)
  throw new InvalidArgumentError('it must be a number above 0')
}
