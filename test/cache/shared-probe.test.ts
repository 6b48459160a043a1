import { setImmediate as nextTurn } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { type Arrival, SharedProbe } from '../../src/cache/shared-probe.js'
import type { Employee } from '../../src/employees/schemas.js'
import { build } from '../support/build.js'
import { PipeliningClient } from '../support/pipelining-client.js'
import { until } from '../support/until.js'

const GET = 'GET /employees/high-salary HTTP/1.1\r\nHost: test\r\n\r\n'

t.test('requests that arrive together share a probe', async (t) => {
  const { client, probes } = await setUp(t, 20)
  for (let socket = 0; socket < 20; socket++) client.send(socket, GET)
  for (let socket = 0; socket < 20; socket++) await answers(client, socket, 1)
  t.ok(probes() < 20, `${probes()} probes for 20 requests`)
})

t.test(
  'a request sent behind another one on its socket, after the probe, does not share it',
  async (t) => {
    const { client, onFirstAnswer } = await setUp(t, 2)
    onFirstAnswer(() => client.send(1, GET))
    client.send(0, GET)
    client.send(1, GET)
    const [, late] = await answers(client, 1, 2)
    t.equal((late as Employee[]).length, 1, 'it shows what was written before it was sent')
  },
)

t.test('nor does one behind a body that was still arriving', async (t) => {
  const { app, client, onFirstAnswer } = await setUp(t, 2)
  let arrived = false
  app.server.once('request', () => {
    arrived = true
  })
  const body = JSON.stringify({ name: 'Low', salary: 1, department: 'Sales' })
  const head = `POST /employees HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  client.send(1, head + body.slice(0, 9))
  await until(() => arrived)
  onFirstAnswer(() => client.send(1, GET))
  client.send(0, GET)
  client.send(1, body.slice(9))
  const [, late] = await answers(client, 1, 2)
  t.equal((late as Employee[]).length, 1, 'it shows what was written before it was sent')
})

t.test('nor does one for which the event loop polled again within its turn', async (t) => {
  const full = 1024
  const { client, onFirstAnswer } = await setUp(t, full + 10)
  const late = full + 9
  onFirstAnswer(() => client.send(late, GET))
  for (let socket = 0; socket < late; socket++) client.send(socket, GET)
  const [answer] = await answers(client, late, 1)
  t.equal((answer as Employee[]).length, 1, 'it shows what was written before it was sent')
})

t.test(
  'a probe is forgotten in the check phase, even if the count of events stood still',
  async (t) => {
    const { probe, count } = counted(() => 7)
    probe.version('view', arrive(probe))
    probe.version('view', arrive(probe))
    t.equal(count(), 1)
    await nextTurn()
    probe.version('view', arrive(probe))
    t.equal(count(), 2)
  },
)

t.test('a probe is forgotten at a commit of this process', async (t) => {
  const { probe, count } = counted(() => 7)
  probe.version('view', arrive(probe))
  probe.forget()
  probe.version('view', arrive(probe))
  t.equal(count(), 2)
})

t.test(
  'a request shares no probe that was made before it arrived, between two polls',
  async (t) => {
    let batch = 1
    const { probe, count } = counted(() => batch)
    const waiting = arrive(probe)
    batch = 2
    probe.version('view', waiting)
    probe.version('view', arrive(probe))
    t.equal(count(), 2)
  },
)

t.test('every commit makes the service forget it', async (t) => {
  const app = await build(t)
  const forgotten = t.capture(SharedProbe.prototype, 'forget')
  await app.employees.create({ name: 'High', salary: 200_000, department: 'Ops' })
  t.equal(forgotten().length, 1)
})

t.test('a request shares a probe that was made after it arrived', async (t) => {
  let batch = 1
  const { probe, count } = counted(() => batch)
  const waiting = arrive(probe)
  batch = 2
  probe.version('view', arrive(probe))
  probe.version('view', waiting)
  t.equal(count(), 1)
})

t.test('a request that came over no socket of the server shares nothing', async (t) => {
  const { probe, count } = counted(() => 7)
  const injected = { headers: {}, socket: {} }
  probe.version('view', injected)
  probe.version('view', injected)
  t.equal(count(), 2)
})

t.test('each view has its own', async (t) => {
  const { probe } = counted(() => 7)
  const request = arrive(probe)
  t.not(probe.version('one', request), probe.version('other', request))
})

function counted(batch: () => number) {
  let count = 0
  return { probe: new SharedProbe((view) => `${view} ${++count}`, batch), count: () => count }
}

/** A request that arrives, the first on its socket. */
function arrive(probe: SharedProbe): Arrival {
  const request = { headers: {}, socket: {} }
  probe.arrived(request)
  return request
}

/** The service with clients whose bytes arrive when the test says so. */
async function setUp(t: Test, sockets: number) {
  const app = await build(t)
  let count = 0
  const { version } = app.employees
  app.employees.version = (view) => {
    count++
    return version(view)
  }

  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = await PipeliningClient.connect(t, url, sockets)
  // Filled, so that a request needs nothing but the version.
  await app.inject('/employees/high-salary')
  count = 0
  return { app, client, probes: () => count, onFirstAnswer }

  /** When the first request was answered: another process writes, and then something else is sent. */
  function onFirstAnswer(send: () => void) {
    app.server.once('request', (_request, response) => {
      response.once('prefinish', () => {
        const other = new Sqlite(app.db.$client.name)
        other.exec(
          "INSERT INTO employees (name, salary, department) VALUES ('High', 200000, 'Ops')",
        )
        other.close()
        send()
      })
    })
  }
}

/** The first answers on a socket. */
async function answers(client: PipeliningClient, socket: number, count: number) {
  await until(() => client.answers(socket).length >= count)
  return client.answers(socket)
}
