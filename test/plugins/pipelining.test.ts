// slow: clients send, and leave, over real connections
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { type App, build } from '../support/build.js'
import { samplesOf } from '../support/prometheus.js'
import { until } from '../support/until.js'

/** Node's own, of a connection. */
interface Parser {
  execute(bytes: Buffer): unknown
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
const SMALLEST = 'GET / HTTP/1.1\r\n\r\n'
const LARGE = `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(14_000)}\r\n\r\n`
const ada = { name: 'Ada', salary: 1, department: 'Engineering' }

for (const [path, method] of [
  ['/employees?limit=1000', 'page'],
  ['/readyz', 'ping'],
] as const) {
  t.test(`others are answered between the ${path} that one client pipelines`, async (t) => {
    const app = await start(t, 1000)
    const begun = counted(app, method)
    const greedy = await open(t, app)
    const other = await open(t, app)
    const received = receivedBy(greedy)
    greedy.write(get(path).repeat(60))
    other.write(get('/livez'))
    await once(other, 'data')
    t.ok(begun() < 60, `${begun()} of 60 had begun`)
    await until(() => answers(received()) === 60)
    t.equal(begun(), 60)
  })
}

t.test('a request sees what the one in front of it on its connection has written', async (t) => {
  const app = await start(t, 0)
  const socket = await open(t, app)
  const body = JSON.stringify(ada)
  socket.write(
    `POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}${get('/employees/1')}` +
      `DELETE /employees/1 HTTP/1.1\r\nHost: localhost\r\n\r\n` +
      'GET /employees/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  )
  const statuses = [...(await text(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)
  t.strictSame(statuses, ['201', '200', '200', '404'])
})

t.test('64 requests may wait on a connection; one more ends it behind their answers', async (t) => {
  const app = await start(t, 0)
  for (const [sent, answered] of [
    [65, 65],
    [66, 65],
    [3000, 65],
  ] as const) {
    const pings = counted(app, 'ping')
    const socket = await open(t, app)
    const received = receivedBy(socket)
    const end = once(socket, 'close')
    socket.write(get('/readyz').repeat(sent))
    await until(() => answers(received()) === answered)
    if (sent > answered) await end
    else t.notOk(socket.destroyed)
    t.equal(answers(received()), answered, `${answered} of ${sent} are answered`)
    t.equal(pings(), answered, 'and no other was begun')
    if (sent > answered) continue
    socket.write(get('/readyz').repeat(sent))
    await until(() => answers(received()) === 2 * answered || socket.destroyed)
    t.equal(answers(received()), 2 * answered, 'and as many again')
  }
})

t.test('80 KiB of requests may wait on a connection: what is more ends it', async (t) => {
  const app = await start(t, 0)
  let release = () => {}
  app.employees.ping = () => new Promise((resolve) => (release = resolve))
  let parsed = 0
  app.server.on('request', () => parsed++)
  const socket = await open(t, app)
  const received = receivedBy(socket)
  const end = once(socket, 'close')
  socket.write(get('/readyz') + LARGE.repeat(20))
  await until(() => parsed >= 7)
  release()
  await end
  t.equal(answers(received()), 6, 'the first one, and the five that could wait')
})

t.test(
  '16 MiB of requests may wait in all: who sends more is ended, and others are served',
  async (t) => {
    const app = await start(t, 0)
    const release = holdPings(app)
    let ended = 0
    for (let i = 0; i < 300; i++) {
      const socket = await open(t, app)
      socket.once('close', () => ended++)
      socket.write(get('/readyz') + LARGE.repeat(4))
    }
    await until(() => ended > 0)
    const other = await open(t, app)
    other.write(get('/livez'))
    await once(other, 'data')
    t.ok(app.connections.size > 200, 'those who were there first stay')
    release()
    // What waited is counted no more once it was begun: there is room for another.
    await until(async () => {
      const next = await open(t, app)
      const received = receivedBy(next)
      next.write(get('/readyz') + LARGE.repeat(3))
      await until(() => answers(received()) === 4 || next.destroyed)
      return answers(received()) === 4
    })
  },
)

t.test('what waited for clients that have left is counted no more', async (t) => {
  const app = await start(t, 0)
  app.employees.ping = () => new Promise(() => {})
  for (let round = 0; round < 2; round++) {
    const sockets: Socket[] = []
    while (sockets.every(({ destroyed }) => !destroyed)) {
      const socket = await open(t, app)
      sockets.push(socket)
      socket.write(get('/readyz') + LARGE.repeat(4))
    }
    t.ok(sockets.length > 200, `${sockets.length} can wait`)
    for (const socket of sockets) socket.destroy()
    await until(() => app.connections.size === 0)
  }
})

t.test('what a first read has of a body that waits is counted', async (t) => {
  const app = await start(t, 0)
  app.employees.ping = () => new Promise(() => {})
  const head = 'POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n'
  const sockets: Socket[] = []
  while (sockets.every(({ destroyed }) => !destroyed)) {
    const socket = await open(t, app)
    sockets.push(socket)
    socket.write(`${get('/readyz')}${head}${'x'.repeat(60_000)}`)
  }
  t.ok(sockets.length > 200 && sockets.length < 500, `${sockets.length} can wait`)
})

t.test(
  'the body of a request that waits is not read before its turn, once one has waited',
  async (t) => {
    const app = await start(t, 0)
    const release = holdPings(app)
    const requests: IncomingMessage[] = []
    const socket = await openPipelined(t, app)
    app.server.on('request', (request) => requests.push(request))
    const received = receivedBy(socket)
    const head = 'POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n'
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`
    const whole = `${head}Content-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`
    socket.write(get('/readyz') + (whole + chunked).repeat(10))
    await until(() => requests.length === 2)
    for (let i = 0; i < 50; i++) await turn()
    t.equal(requests.length, 2, 'nor is what comes behind it')
    t.ok((requests[1]?.readableLength ?? 0) < 256)
    release()
    await until(() => received().match(/HTTP\/1\.1 404/g)?.length === 20)
    t.notOk(socket.destroyed)
  },
)

t.test('of a body in chunks half a kilobyte is parsed in a turn, of another 4 KiB', async (t) => {
  const app = await start(t, 0)
  const most = mostParsed(app)
  const socket = await openPipelined(t, app)
  const body = JSON.stringify(ada).padEnd(9000)
  most()
  await create(socket, chunked(body))
  const ofChunks = most()
  t.ok(ofChunks >= 256 && ofChunks <= 512, `${ofChunks} bytes`)
  await create(socket, `Content-Length: ${body.length}\r\n\r\n${body}`)
  const ofAnother = most()
  t.ok(ofAnother > 512 && ofAnother <= 4096, `${ofAnother} bytes`)
})

t.test(
  'a first body in chunks is parsed as it comes; more than 64 at once are the last of all',
  async (t) => {
    const app = await start(t, 0)
    const most = mostParsed(app)
    const idle = await open(t, app)
    const body = JSON.stringify(ada)
    const first = await open(t, app)
    await create(first, chunked(body.padEnd(64)))
    t.equal(most(), 0)
    await create(first, chunked(body.padEnd(1000)))
    t.ok(most() > 0, 'but not another one of that connection')
    await create(await open(t, app), chunked(body.padEnd(65)))
    t.equal(most(), 0)
    for (const socket of [idle, await open(t, app)]) {
      await create(socket, chunked(body.padEnd(1000)))
      const ofChunks = most()
      t.ok(ofChunks >= 256 && ofChunks <= 512, `${ofChunks} bytes`)
    }
  },
)

t.test('whom Node does not read while that begins is read on', async (t) => {
  const app = await start(t, 0)
  const socket = await open(t, app)
  const received = receivedBy(socket)
  const served = [...app.connections][0] as Socket
  // As Node does where a body is not taken.
  served.pause()
  await create(await open(t, app), chunked(JSON.stringify(ada).padEnd(65)))
  socket.write(get('/livez'))
  await turn()
  t.equal(answers(received()), 0)
  served.resume()
  await until(() => answers(received()) === 1)
})

t.test('what comes behind one too many is not even parsed', async (t) => {
  const app = await start(t, 0)
  let release = () => {}
  app.employees.ping = () => new Promise((resolve) => (release = resolve))
  let parsed = 0
  app.server.on('request', () => parsed++)
  const socket = await open(t, app)
  const end = once(socket, 'close')
  const received = receivedBy(socket)
  socket.write(get('/readyz') + get('/livez').repeat(65))
  await until(() => parsed === 66)
  // More than the buffers of two sockets take unread.
  for (let chunk = 0; chunk < 100; chunk++) {
    if (!socket.write(get('/livez').repeat(3000))) await once(socket, 'drain')
  }
  t.equal(parsed, 66)
  release()
  await end
  t.equal(answers(received()), 65)
})

t.test('nor what one write has behind it, however small it is', async (t) => {
  const app = await start(t, 0)
  app.employees.ping = () => new Promise(() => {})
  const socket = await openPipelined(t, app)
  t.ok((await parsedOf(app, socket, 3000)) < 66 + 256 / SMALLEST.length)
})

t.test(
  'a first read is parsed whole, and the first of too much is the last one for a minute',
  async (t) => {
    t.teardown(() => mock.timers.reset())
    mock.timers.enable({ apis: ['setTimeout'] })
    const app = await start(t, 0)
    app.employees.ping = () => new Promise(() => {})
    const idle = await open(t, app)
    t.equal(await parsedOf(app, await open(t, app), 16), 17)
    const first = await parsedOf(app, await open(t, app), 3000)
    t.equal(first, 3001)
    for (const socket of [idle, await open(t, app)]) {
      const next = await parsedOf(app, socket, 3000)
      t.ok(next > 65 && next < 66 + 256 / SMALLEST.length, `${next} are parsed of the next`)
    }
    mock.timers.tick(60_000)
    t.equal(await parsedOf(app, await open(t, app), 3000), 3001)
  },
)

t.test('where nothing more may wait in all, the first one that does is the last', async (t) => {
  const app = await start(t, 0)
  app.employees.ping = () => new Promise(() => {})
  let ended = 0
  while (ended === 0) {
    const socket = await open(t, app)
    socket.once('close', () => ended++)
    socket.write(get('/readyz') + LARGE.repeat(4) + SMALLEST.repeat(10))
  }
  // Its end has left room for a few, and others are parsed still.
  for (let i = 0; i < 20; i++) {
    let parsed = 0
    const count = () => parsed++
    app.server.on('request', count)
    const socket = await open(t, app)
    socket.write(get('/readyz') + SMALLEST.repeat(3000))
    await until(() => socket.destroyed || parsed > 65)
    app.server.off('request', count)
    // What there was room for, and the rest of that slice: of 3,000.
    if (i === 19) t.ok(parsed <= (3 * 256) / SMALLEST.length, `${parsed} were parsed`)
  }
})

t.test('what has come while Node does not read is answered when it does', async (t) => {
  const app = await start(t, 30_000)
  const socket = await open(t, app)
  socket.pause()
  const served = [...app.connections][0] as Socket
  socket.write(get('/employees'))
  await until(() => served.writableNeedDrain)
  socket.write(get('/livez').repeat(40))
  await until(() => served.isPaused())
  const received = receivedBy(socket)
  socket.resume()
  await until(() => answers(received()) === 41)
  t.notOk(socket.destroyed)
})

t.test('nothing is begun for a client that has left', async (t) => {
  const app = await start(t, 0)
  const pings: (() => void)[] = []
  app.employees.ping = () => new Promise((resolve) => pings.push(resolve))
  const responses: ServerResponse[] = []
  app.server.on('request', (_request, response) => responses.push(response))
  const socket = await open(t, app)
  socket.write(get('/readyz').repeat(2))
  await until(() => responses.length === 2)
  responses[1]?.once('socket', (connection) => connection.destroy())
  pings[0]?.()
  await until(() => app.connections.size === 0)
  await turn()
  t.equal(pings.length, 1)
})

t.test('when the client leaves, nothing is left of those that wait', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc')
  const app = await start(t, 30_000)
  const lists = counted(app, 'list')
  const responses: WeakRef<ServerResponse>[] = []
  app.server.on('request', (_request, response) => responses.push(new WeakRef(response)))
  const socket = await open(t, app)
  socket.pause()
  socket.write(get('/employees').repeat(20))
  await until(() => responses.length === 20)
  await until(async () => (await openSnapshots(app)) === 1)
  t.equal(lists(), 1, 'only the first has begun')

  socket.destroy()
  await until(async () => (await openSnapshots(app)) === 0)
  t.equal(app.connections.size, 0)
  t.equal(lists(), 1)
  await until(() => {
    collectGarbage()
    return responses.every((response) => response.deref() === undefined)
  })
})

/** The service, listening, with so many employees of whom 30,000 are more than sockets buffer. */
async function start(t: Test, employees: number): Promise<App> {
  const app = await build(t)
  const long = { name: '📏'.repeat(100), salary: 1, department: '📏'.repeat(100) }
  await app.employees.createMany(Array.from({ length: employees }, () => long))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

async function open(t: Test, app: App): Promise<Socket> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** A connection that had two requests at once, and so is read bit by bit. */
async function openPipelined(t: Test, app: App): Promise<Socket> {
  const socket = await open(t, app)
  await exchange(socket, get('/livez').repeat(2), (received) => answers(received) === 2)
  return socket
}

/** The most that is parsed of the connections that come, in a turn, where that is done bit by bit. */
function mostParsed(app: App): () => number {
  let inTurn = 0
  let most = 0
  app.server.on('connection', ({ parser }: Socket & { parser: Parser }) => {
    const { execute } = parser
    parser.execute = (bytes) => {
      if (inTurn === 0) setImmediate(() => (inTurn = 0))
      inTurn += bytes.length
      most = Math.max(most, inTurn)
      return execute.call(parser, bytes)
    }
  })
  return () => {
    const before = most
    most = 0
    return before
  }
}

function chunked(body: string): string {
  const chunks = Array.from(body, (byte) => `1\r\n${byte}\r\n`).join('')
  return `Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`
}

/** Creates an employee, of whom the rest of a request is given. */
async function create(socket: Socket, rest: string): Promise<void> {
  const head = 'POST /employees HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  await exchange(socket, head + rest, (received) => received.includes('201 Created'))
}

async function exchange(socket: Socket, sent: string, isAnswered: (received: string) => boolean) {
  let received = ''
  const receive = (bytes: Buffer | string) => (received += bytes)
  socket.on('data', receive).write(sent)
  await until(() => isAnswered(received))
  socket.off('data', receive)
}

/** How many requests of one write are parsed: one that is never answered, and so many behind it. */
async function parsedOf(app: App, socket: Socket, behind: number): Promise<number> {
  let parsed = 0
  const count = () => parsed++
  app.server.on('request', count)
  socket.write(get('/readyz') + SMALLEST.repeat(behind))
  await until(() => parsed > Math.min(behind, 65))
  await turn()
  app.server.off('request', count)
  return parsed
}

/** Lets `/readyz` wait until what is returned is called. */
function holdPings(app: App): () => void {
  let release = () => {}
  const { ping } = app.employees
  const gate = new Promise<void>((resolve) => (release = resolve))
  app.employees.ping = async () => gate.then(ping)
  return release
}

/** How often the store was asked from now on. */
function counted(app: App, method: 'page' | 'list' | 'ping'): () => number {
  let count = 0
  const { employees } = app
  const original = employees[method] as (...parameters: unknown[]) => unknown
  Object.assign(employees, {
    [method]: (...parameters: unknown[]) => {
      count++
      return original.apply(employees, parameters)
    },
  })
  return () => count
}

function receivedBy(socket: Socket): () => string {
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    received += chunk
  })
  return () => received
}

function answers(received: string): number {
  return received.split('HTTP/1.1 200 ').length - 1
}

async function openSnapshots(app: App): Promise<number | undefined> {
  const { body } = await app.inject('/metrics')
  return samplesOf(body).get('employees_reader_connections{state="open"}')
}
