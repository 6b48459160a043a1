// slow: who is silent is waited for
// no database: sockets alone
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config.js'
import { type App, build } from '../support/build.js'
import { until } from '../support/until.js'

const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'

t.test('beyond its share an address is disconnected, and others are served', async (t) => {
  const app = await start(t, { maxConnections: 10, maxConnectionsPerAddress: 2 })
  const first = await open(t, app)
  const second = await open(t, app)
  await until(() => app.connections.size === 2)
  await isRefused(t, app)
  for (const socket of [first, second, await open(t, app, '127.0.0.2')]) await isServed(t, socket)

  first.destroy()
  await until(() => app.connections.size === 2)
  await isServed(t, await open(t, app))
})

t.test('beyond all that may be there, everybody is disconnected', async (t) => {
  const app = await start(t, { maxConnections: 3, maxConnectionsPerAddress: 2 })
  const open3 = [
    await open(t, app),
    await open(t, app, '127.0.0.2'),
    await open(t, app, '127.0.0.3'),
  ]
  await until(() => app.connections.size === 3)
  await isRefused(t, app, '127.0.0.4')
  for (const socket of open3) await isServed(t, socket)
  for (const socket of open3) socket.destroy()
  await until(() => app.connections.size === 0)
  await isServed(t, await open(t, app, '127.0.0.4'))
})

t.test('a flood is one line in the log', async (t) => {
  const app = await start(t, { maxConnections: 1, maxConnectionsPerAddress: 1 })
  const lines: object[] = []
  app.log.warn = (line: object) => void lines.push(line)
  await open(t, app)
  for (let count = 0; count < 20; count++) await isRefused(t, app)
  t.equal(lines.length, 1)
  t.match(lines, [{ refused: 1, open: 1, maxConnections: 1, 'client.ip': '127.0.0.1' }])
})

t.test('who sends nothing, or half a head, is gone in time, and need not agree', async (t) => {
  const app = await build(t)
  Object.assign(app.server, { headersTimeout: 200, connectionsCheckingInterval: 20 })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const stubborn = [await open(t, app, '127.0.0.1', true), await open(t, app, '127.0.0.1', true)]
  stubborn[1]?.write('GET /livez HTTP/1.1\r\nHost: ')
  await until(() => app.connections.size === 2)
  for (const socket of stubborn) t.match(`${await once(socket, 'data')}`, /^HTTP\/1\.1 408 /)
  // One of them goes on, as if it had not heard.
  const dripping = setInterval(() => stubborn[1]?.write('x'), 20)
  t.teardown(() => clearInterval(dripping))
  await until(() => app.connections.size === 0)
})

t.test('who has no use for a connection for 73 s loses it, and is told of 72', async (t) => {
  const app = await start(t)
  const idle = await open(t, app, '127.0.0.1', true)
  const busy = await open(t, app)
  await isServed(t, busy)
  t.match(await isServed(t, idle), /\r\nConnection: keep-alive\r\nKeep-Alive: timeout=72\r\n/)
  const { connections, idleConnections } = app
  const now = performance.now()
  const lookAfter = (seconds: number) => idleConnections.look(connections, now + 1000 * seconds)
  lookAfter(0)
  lookAfter(72)
  t.equal(connections.size, 2)
  await isServed(t, busy)
  lookAfter(73)
  await until(() => connections.size === 1)
  await isServed(t, busy)

  let looked: unknown
  idleConnections.look = (at) => (looked = at)
  await until(() => looked === connections)
})

t.test('an error of accept() is in the log, and not the end of the process', async (t) => {
  const app = await start(t)
  const lines: object[] = []
  app.log.error = (line: object) => void lines.push(line)
  app.server.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' }))
  t.match(lines, [{ err: { code: 'ENFILE' } }])
})

async function start(t: Test, limits: Partial<Config> = {}): Promise<App> {
  const app = await build(t, limits)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

async function open(
  t: Test,
  app: App,
  localAddress = '127.0.0.1',
  allowHalfOpen = false,
): Promise<Socket> {
  const { port } = app.server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Ended with no answer; `connect` itself succeeds, since that is the kernel's. */
async function isRefused(t: Test, app: App, localAddress?: string): Promise<void> {
  const socket = await open(t, app, localAddress)
  const received: unknown[] = []
  socket.on('data', (chunk) => received.push(chunk))
  if (!socket.destroyed) await once(socket, 'close')
  t.strictSame(received, [])
}

async function isServed(t: Test, socket: Socket): Promise<string> {
  socket.write(LIVEZ)
  const answer = `${await once(socket, 'data')}`
  t.match(answer, /^HTTP\/1\.1 200 /)
  return answer
}
