import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { VersionBatcher } from '../../src/cache/version-batcher.js'
import { build } from '../support/build.js'
import { PipeliningClient } from '../support/pipelining-client.js'
import { openShell } from '../support/shell.js'
import { until } from '../support/until.js'

const GET = 'GET /employees/high-salary HTTP/1.1\r\nHost: localhost\r\n\r\n'
const WRITE = "INSERT INTO employees (name, salary, department) VALUES ('High', 200000, 'Ops')"

t.test('requests that arrive together share a probe', async (t) => {
  const { client, probes } = await setUp(t, 20)
  for (let socket = 0; socket < 20; socket++) client.send(socket, GET)
  for (let socket = 0; socket < 20; socket++) await answers(client, socket, 1)
  t.ok(probes() < 20, `${probes()} probes for 20 requests`)
})

t.test('a request behind another one on its socket sees what was written before it', async (t) => {
  const { client, onFirstAnswer } = await setUp(t, 2)
  onFirstAnswer(() => client.send(1, GET))
  client.send(0, GET)
  client.send(1, GET)
  const [, late] = await answers(client, 1, 2)
  t.equal((late as unknown[]).length, 1)
})

t.test('a probe begins after all who share it arrived', async (t) => {
  const probed: string[] = []
  const probe = new VersionBatcher<string>((view) => {
    probed.push(view)
    return `version ${probed.length}`
  })
  const first = probe.version('view')
  t.strictSame(probed, [])
  await Promise.resolve()
  t.strictSame([await probe.version('view'), await first], ['version 1', 'version 1'])
})

t.test('who arrives once it has begun does not share it', async (t) => {
  const begun: (() => void)[] = []
  const probe = new VersionBatcher<string>((view) => {
    const version = `${view} ${begun.length}`
    return new Promise((resolve) => begun.push(() => resolve(version)))
  })
  const early = probe.version('view')
  await until(() => begun.length === 1)
  const late = probe.version('view')
  await until(() => begun.length === 2)
  for (const end of begun) end()
  t.strictSame([await early, await late], ['view 0', 'view 1'])
})

t.test('a probe that fails, fails for those who share it alone', async (t) => {
  let fails = true
  const probe = new VersionBatcher<string>((view) => {
    if (fails) throw new Error('away')
    return view
  })
  const shared = [probe.version('view'), probe.version('view')]
  for (const version of shared) await t.rejects(version, /away/)
  fails = false
  t.equal(await probe.version('view'), 'view')
})

t.test('each view has its own', async (t) => {
  const probe = new VersionBatcher<string>((view) => view)
  t.strictSame(await Promise.all(['one', 'other'].map((view) => probe.version(view))), [
    'one',
    'other',
  ])
})

/** The service with clients whose bytes arrive when the test says so. */
async function setUp(t: Test, sockets: number) {
  const app = await build(t)
  const other = await openShell(t, app.config.databaseUrl)
  let count = 0
  const { version } = app.views
  app.views.version = (view) => {
    count++
    return version(view)
  }

  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = await PipeliningClient.connect(t, url, sockets)
  // Filled, so that a request needs nothing but the version.
  await app.inject('/employees/high-salary')
  count = 0
  return { client, probes: () => count, onFirstAnswer }

  /** When the first request is answered: another process writes, and then something else is sent. */
  function onFirstAnswer(send: () => void) {
    app.server.once('request', (_request, response: ServerResponse) => {
      const end = response.end.bind(response) as (...given: unknown[]) => unknown
      Object.assign(response, {
        async end(...given: unknown[]) {
          await other.run(WRITE)
          end(...given)
          send()
        },
      })
    })
  }
}

/** The first answers on a socket. */
async function answers(client: PipeliningClient, socket: number, count: number) {
  await until(() => client.answers(socket).length >= count)
  return client.answers(socket)
}
