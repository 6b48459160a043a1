// slow: clusters are started, resharded and broken
// no database: it is Redis that fails, whatever it stands in front of
import t from 'tap'
import { highSalary } from '../../drizzle/views/high-salary.js'
import { cacheKey } from '../../src/cache/cache-key.js'
import { errorsOf, ownerOf, SlotMove, slotOf, slotsOf } from '../support/cluster-slots.js'
import { clientOf, topologies } from '../support/redis-topologies.js'
import { Service } from '../support/service.js'
import { until } from '../support/until.js'
import { UnderLoad } from './moving-redis.js'

/** How many slots move: an eighth of all. */
const MOVED = 2048
/** Each request of the load counts here. */
const COUNTER = 'rate_limit:ip:127.0.0.1'
const VIEW = '/employees/high-salary'

for (const [scheme, start] of Object.entries(topologies)) {
  if (!scheme.includes('cluster')) continue

  t.test(`${scheme}: slots that move under load cost no answer`, async (t) => {
    const topology = await start(t)
    const masters = topology.servers.map((server) => clientOf(t, server, topology.files))
    const run = await UnderLoad.start(t, topology)
    const [from, to] = await ownerOf(slotOf(COUNTER), masters)
    const others = (await slotsOf(from)).filter((slot) => slot !== slotOf(COUNTER))
    const move = new SlotMove([...others.slice(0, MOVED), slotOf(COUNTER)], from, to, masters)

    const opened = await run.during(async () => {
      await move.open()
      await run.someReads()
      await move.moveKeys()
      await run.someReads()
      await until(async () => (await errorsOf(from, 'ASK')) > 10)
    })
    t.comment(`slots on their way: ${opened}; ${await errorsOf(from, 'ASK')} asked elsewhere`)
    const closed = await run.during(async () => {
      await move.close()
      const counted = await to.get(COUNTER)
      // Who has connected anew meanwhile, as on a busy machine, knows the new place already.
      await until(
        async () => (await errorsOf(from, 'MOVED')) > 0 || (await to.get(COUNTER)) !== counted,
      )
      await run.someReads()
    })
    t.comment(`slots at their new place: ${closed}`)
    t.equal(await to.exists(COUNTER), 1)
    await run.untilRedis('ok')

    // When nobody writes any more the view keeps its version, and so its key.
    t.strictSame((await run.stop()).slice(0, 5), [])
    const answer = await fetch(`${run.services[0]?.url}${VIEW}`)
    const [, version = ''] = /"\d+-(.*)"/.exec(answer.headers.get('etag') ?? '') ?? []
    const key = cacheKey(highSalary.name, version)
    const [old, place] = await ownerOf(slotOf(key), masters)
    await until(() => old.exists(key))
    const last = new SlotMove([slotOf(key)], old, place, masters)
    await last.open()
    await last.moveKeys()
    t.match(await statusOfNew(), /detail=redis$/, 'found while its slot is on its way')
    await last.close()
    t.equal(await place.exists(key), 1)
    t.match(await statusOfNew(), /detail=redis$/, 'found at its new place')

    async function statusOfNew() {
      const { url } = await Service.start(t, run.env)
      await until(async () => /"redis":"ok"/.test(await (await fetch(`${url}/readyz`)).text()))
      const found = await fetch(`${url}${VIEW}`)
      t.strictSame(await found.json(), await answer.clone().json())
      return found.headers.get('cache-status')
    }
  })

  t.test(`${scheme}: a master that is killed under load costs no answer`, async (t) => {
    const topology = await start(t)
    const run = await UnderLoad.start(t, topology)
    const [, server] = topology.servers
    await server?.stop()
    t.comment(`away after ${await run.during(() => run.untilRedis('away'))}`)
    t.comment(`while it is away: ${await run.during(() => run.someReads())}`)
    await server?.start()
    t.comment(`back after ${await run.during(() => run.untilRedis('ok'))}`)
    await run.someReads()
    t.strictSame((await run.stop()).slice(0, 5), [])
  })
}
