// slow: Sentinels take their time to agree that a master is gone
// no database: it is Redis that fails, whatever it stands in front of
import t from 'tap'
import { clientOf, topologies } from '../support/redis-topologies.js'
import { until } from '../support/until.js'
import { UnderLoad } from './moving-redis.js'

for (const [scheme, start] of Object.entries(topologies)) {
  if (!scheme.includes('sentinel')) continue

  for (const [signal, what] of [
    ['SIGKILL', 'is killed'],
    ['SIGSTOP', 'hangs'],
  ] as const) {
    t.test(`${scheme}: a master that ${what} under load costs no answer`, async (t) => {
      const topology = await start(t)
      const [master, replica = master] = topology.servers
      const run = await UnderLoad.start(t, topology)
      const promoted = clientOf(t, replica, topology.files)

      master.signal(signal)
      t.comment(`away after ${await run.during(() => run.untilRedis('away'))}`)
      t.comment(`back after ${await run.during(() => run.untilRedis('ok'))}`)
      t.match(await promoted.info('replication'), /^role:master/m)
      const writes = async () =>
        Number(/cmdstat_set:calls=(\d+)/.exec(await promoted.info('commandstats'))?.[1] ?? 0)
      const before = await writes()
      await until(async () => (await writes()) > before + 10)
      await run.someReads()
      t.strictSame((await run.stop()).slice(0, 5), [])
    })
  }
}
