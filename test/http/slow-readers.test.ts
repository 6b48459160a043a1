// no database: sockets alone
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

t.test('so much may wait in all; then whoever was waited for longest is ended', async (t) => {
  const { readers, server, more } = await setUp(t, ANSWER, { waiting: 2.5 * ANSWER.length })
  t.equal(readers.look(0), 0)
  const second = await more()
  t.equal(readers.look(1), 0)
  const third = await more()
  t.equal(readers.look(2), 1, 'three are too much')
  t.ok(server.destroyed)
  t.notOk(second.destroyed || third.destroyed)

  for (const socket of [second, third]) readers.sends(socket, ANSWER)
  const fourth = await more()
  t.equal(readers.look(3), 0, 'a body that two are sent counts once')
  const fifth = await more()
  t.equal(readers.look(4), 2)
  t.ok(second.destroyed && third.destroyed, 'and is there until both are ended')
  t.notOk(fourth.destroyed || fifth.destroyed)
})

/** A connection whose client has not read what the server has sent. */
async function setUp(t: Test, answer = ANSWER, limits = {}) {
  const readers = new SlowReaders(limits)
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(() => listener.close())
  const { client, server } = await open()
  return { readers, server, client, more: async () => (await open()).server }

  async function open() {
    const client = connect((listener.address() as AddressInfo).port, '127.0.0.1')
    const [server] = (await once(listener, 'connection')) as [Socket]
    for (const socket of [client, server]) {
      socket.on('error', () => {})
      t.teardown(() => socket.destroy())
    }
    readers.watch(server)
    server.write(answer)
    if (answer === ANSWER) await until(() => waiting(server) > 0)
    return { client, server }
  }
}

function waiting(socket: Socket): number {
  return (socket as Socket & { _handle: { writeQueueSize: number } })._handle.writeQueueSize
}

function sent(socket: Socket): number {
  return socket.bytesWritten - waiting(socket)
}
