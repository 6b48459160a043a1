// slow: servers are away for seconds, under load
import t from 'tap'
import { Cluster, seconds } from './cluster.js'

/** How often every connection is ended. */
const ROUNDS = 5

const cluster = await Cluster.start(t)
const { primary, standby, load, services, ways } = cluster

t.test('every connection to the primary is ended', async (t) => {
  let ended = 0
  for (let round = 0; round < ROUNDS; round++) {
    ended += await cluster.endConnections()
    await load.untilWritesGoOn()
  }
  t.ok(ended >= ROUNDS * services.length)
  cluster.assertRight(t, `${ended} connections ended`)
})

t.test('the standby is away, and comes back', async (t) => {
  await standby.stop()
  await cluster.assertAway(t)
  const start = performance.now()
  await standby.start()
  await load.untilWritesGoOn()
  cluster.assertRight(t, `writes went on ${seconds(start)} s after its start`)
})

for (const fault of ['refuse', 'blackhole'] as const) {
  t.test(`no host is reached (${fault}), and all are again`, async (t) => {
    const proxies = ways.flatMap((way) => [way.old, way.new])
    for (const proxy of proxies) proxy.fault = fault
    await cluster.assertAway(t)
    const start = performance.now()
    for (const proxy of proxies) proxy.fault = 'none'
    await load.untilWritesGoOn()
    cluster.assertRight(t, `writes went on after ${seconds(start)} s`)
  })
}

t.test('after all of this what was acknowledged is there', (t) => cluster.assertKept(t, primary))
