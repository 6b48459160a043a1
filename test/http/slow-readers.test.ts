import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { LIMITS, SlowReaders } from '../../src/http/slow-readers.js'
import { until } from '../support/until.js'

const ANSWER = Buffer.alloc(64 * 1024 * 1024)

t.test('a client that reads nothing of what waits for it is ended, after the window', async (t) => {
  const { readers, server } = await setUp(t)
  t.equal(readers.look(0), 0)
  t.equal(readers.look(LIMITS.windowMs - 1), 0, 'not yet')
  t.equal(readers.look(LIMITS.windowMs), 1)
  t.ok(server.destroyed)
})

t.test('a client that reads a few bytes now and then is ended, too', async (t) => {
  const { readers, server, client } = await setUp(t)
  t.equal(readers.look(0), 0)
  client.once('readable', () => client.read(1000))
  await once(client, 'readable')
  t.equal(readers.look(LIMITS.windowMs), 1)
  t.ok(server.destroyed)
})

t.test('a client that reads as fast as it must may take its time', async (t) => {
  const { readers, server, client } = await setUp(t)
  const perWindow = (LIMITS.lowestRate * LIMITS.windowMs) / 1000
  for (let window = 0; window < 3; window++) {
    t.equal(readers.look(window * LIMITS.windowMs), 0)
    const before = sent(server)
    client.resume()
    await until(() => sent(server) - before > perWindow)
    client.pause()
  }
  t.equal(readers.look(3 * LIMITS.windowMs), 0)
  t.notOk(server.destroyed)
})

t.test(
  'a connection for which nothing waits is not looked at, however long it lasts',
  async (t) => {
    const { readers, server, client } = await setUp(t, Buffer.from('all'))
    client.resume()
    t.equal(readers.look(0), 0)
    t.equal(readers.look(1e9), 0)
    t.notOk(server.destroyed)
  },
)

/** A connection whose client has not read what the server has sent. */
async function setUp(t: Test, answer = ANSWER) {
  const readers = new SlowReaders()
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const [server] = (await once(listener, 'connection')) as [Socket]
  t.teardown(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  for (const socket of [client, server]) socket.on('error', () => {})
  readers.watch(server)
  server.write(answer)
  if (answer === ANSWER) await until(() => waiting(server) > 0)
  return { readers, server, client }
}

function waiting(socket: Socket): number {
  return (socket as Socket & { _handle: { writeQueueSize: number } })._handle.writeQueueSize
}

function sent(socket: Socket): number {
  return socket.bytesWritten - waiting(socket)
}
