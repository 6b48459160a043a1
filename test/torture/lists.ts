import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makePeople } from '../../src/bulk/people.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import type { Scope } from '../support/scope.js'
import { Service, withDescriptors } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { ask, LIMITS, residentBytes, Strangers } from './clients.js'

const LOG_BYTES = 200e6
/** How long a client that reads nothing may stay. */
const UNREAD_SECONDS = 120
const DESCRIPTORS = 512
const HEAD = 'HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** Says whether the limits held. */
export async function attackWithLists(
  scope: Scope,
  seconds: number,
  employees: number,
): Promise<boolean> {
  const path = join(await temporaryDirectory(scope), 'employees.db')
  const { $client } = openSqlite(`file:${path}`)
  await bulkLoad($client, makePeople(employees, 100, 1))
  $client.close()
  const env = { DATABASE_URL: `file:${path}` }
  const service = await Service.start(scope, env, withDescriptors(DESCRIPTORS))
  const strangers = new Strangers(scope, service.url)
  const end = new AbortController()

  const since = performance.now()
  let unread = Number.POSITIVE_INFINITY
  const reader = strangers.open('127.0.0.3', `GET /employees ${HEAD}`.repeat(60))
  await once(reader, 'connect')
  const { localPort = 0 } = reader
  for (let i = 0; i < 20; i++)
    strangers.open(`127.0.1.${1 + i}`, `GET /employees ${HEAD}`.repeat(60))
  const pages = `GET /employees?limit=1000 ${HEAD}`.repeat(200)
  strangers.keep(end.signal, 400, () => strangers.open('127.0.0.2').resume())
  strangers.keep(end.signal, 2, () => strangers.open('127.0.0.4', pages).resume())
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
    memory = Math.max(memory, residentBytes(service.process.pid))
    look()
    await delay(50)
  }
  end.abort()
  const answered = await Promise.all([livez, ...reads])
  const isAlive = service.process.exitCode === null
  // The rest of the time that a reader which reads nothing may have.
  while (unread === Number.POSITIVE_INFINITY && performance.now() - since < 1000 * UNREAD_SECONDS) {
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
    log < LOG_BYTES &&
    unread < UNREAD_SECONDS &&
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
