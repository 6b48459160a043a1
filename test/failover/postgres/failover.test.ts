// slow: servers are killed and frozen under load, and others take their place
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { until } from '../../support/until.js'
import { Cluster, FAILOVER_MS, seconds } from './cluster.js'

/** How long after the last commit that it confirmed a standby is promoted: longer than a lease. */
const PROMOTED_AFTER_MS = 1700
/** How long a lease lasts; 0: a commit proves each answer. */
const LEASES = [1000, 0]
/** Of each process; in the end each of its loops waits for one. */
const ANSWERS = 4

/** Three processes: in the end all of them reach both servers. */
const [A, B, C] = [0, 1, 2]

t.test('a primary that is killed while its standby lags', async (t) => {
  const cluster = await Cluster.start(t)
  const { primary, standby, load } = cluster
  await standby.holdReplication()
  // Readers are answered still, and a write that is now would be lost.
  await load.untilAll(({ answers }, before) => answers > before.answers + 20)
  await primary.stop()
  const onAll = await cluster.promote()
  t.ok(Number(onAll) * 1000 < FAILOVER_MS)
  cluster.assertRight(t, `all write after ${onAll} s`)
  await cluster.assertKept(t, standby)
})

for (const lease of LEASES) {
  const env = { DATABASE_LEASE_MS: `${lease}` }

  t.test(`a primary that is frozen, replaced and goes on, lease ${lease}`, async (t) => {
    const cluster = await Cluster.start(t, env)
    const { primary, standby, load } = cluster
    const [a, b, c] = cluster.ways
    // The connections of C outlive it: nobody waits there for an answer, but the last beat for its own.
    await load.pause(C)
    if (lease > 0) {
      c.old.fault = 'hold'
      await until(() => c.old.held > 0)
    }
    await primary.freeze()
    a.old.fault = 'blackhole'
    b.new.fault = 'refuse'
    c.new.fault = 'refuse'
    await delay(PROMOTED_AFTER_MS)
    const onOne = await cluster.promote([A])

    primary.thaw()
    c.old.fault = 'none'
    load.resume(C)
    await load.untilAll(({ answers }, before) => answers > before.answers + ANSWERS, [B, C])
    cluster.assertRight(t, `some reach the new one, and write after ${onOne} s`)
    const start = performance.now()
    a.old.fault = 'none'
    b.new.fault = 'none'
    c.new.fault = 'none'
    await load.untilWritesGoOn()
    const onAll = seconds(start)
    t.ok(Math.max(Number(onOne), Number(onAll)) * 1000 < FAILOVER_MS)
    cluster.assertRight(t, `all reach it, and write after ${onAll} s`)
    await cluster.assertKept(t, standby)
  })

  t.test(`a process and a standby cut off from a primary that lives, lease ${lease}`, async (t) => {
    const cluster = await Cluster.start(t, env)
    const { standby, load } = cluster
    const [a, , c] = cluster.ways
    await standby.holdReplication()
    a.old.fault = 'blackhole'
    c.new.fault = 'refuse'
    // A lease rests on it that nobody is promoted within; a proof for each answer rests on nothing.
    if (lease > 0) await delay(PROMOTED_AFTER_MS)
    const onTwo = await cluster.promote([A, B])
    await load.untilAll(({ answers }, before) => answers > before.answers + ANSWERS, [C])
    cluster.assertRight(t, `some reach the new one, and write after ${onTwo} s`)
    const start = performance.now()
    c.new.fault = 'none'
    await load.untilWritesGoOn()
    const onAll = seconds(start)
    t.ok(Math.max(Number(onTwo), Number(onAll)) * 1000 < FAILOVER_MS)
    cluster.assertRight(t, `all reach it, and write after ${onAll} s`)
    await cluster.assertKept(t, standby)
  })
}
