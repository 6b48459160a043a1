import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { makePeople } from '../../src/bulk/people.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import { entries } from '../support/keys.js'
import { type Scope, scoped } from '../support/scope.js'
import { Service, withDescriptors } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { ask, LIMITS, residentBytes, Strangers } from './clients.js'

/** What the service may have, so that what has no bound ends it soon. */
const HEAP_MB = 768
const DESCRIPTORS = 4096
const ADDRESSES = 20
/** How long it may take until it has given back half of what it took, in seconds. */
const COOLING = 60

/** What a stranger sends at once: requests whose heads are nearly all that Node takes, or the smallest. */
const FLOODS = {
  large: (target: string) => {
    const head = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nX-Large: `
    return `${head}${'x'.repeat(15_800 - head.length)}\r\n\r\n`.repeat(63)
  },
  small: (target: string) =>
    `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n${'GET / HTTP/1.1\r\n\r\n'.repeat(3640)}`,
}

interface Round {
  heads: keyof typeof FLOODS
  target: string
  keys: string
}

const ROUNDS = ['', entries].flatMap((keys): Round[] => [
  { heads: 'large', target: '/openapi.json', keys },
  { heads: 'large', target: '/employees?limit=1000', keys },
  { heads: 'large', target: '/employees/top2-by-department', keys },
  { heads: 'small', target: '/openapi.json', keys },
  { heads: 'small', target: '/employees?limit=1000', keys },
])

/** Each round has a service of its own. Says whether the limits held in all of them. */
export async function attackWithPipelines(
  scope: Scope,
  seconds: number,
  employees: number,
  connections: number,
): Promise<boolean> {
  const database = `file:${join(await temporaryDirectory(scope), 'employees.db')}`
  const { $client } = openSqlite(database)
  await bulkLoad($client, makePeople(employees, 100, 1))
  $client.close()
  const results: Awaited<ReturnType<typeof attack>>[] = []
  for (const round of ROUNDS) {
    results.push(await scoped((scope) => attack(scope, round, database, seconds, connections)))
  }
  console.table(results)
  return results.every(
    ({ lives, failed, p99, cool }) =>
      lives && failed === 0 && p99 < LIMITS.livezP99Ms && cool < COOLING,
  )
}

async function attack(
  scope: Scope,
  { heads, target, keys }: Round,
  database: string,
  seconds: number,
  connections: number,
) {
  const env = { DATABASE_URL: database, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` }
  const service = await Service.start(
    scope,
    keys ? { ...env, API_KEYS: keys } : env,
    withDescriptors(DESCRIPTORS),
  )
  const megabytes = () => Math.round(residentBytes(service.process.pid) / 1e6)
  const before = megabytes()
  const end = new AbortController()
  const livez = ask(end.signal, `${service.url}/livez`, 20)
  // A thread of its own, so that who measures is not late because strangers are many.
  const strangers = new Worker(new URL(import.meta.url), {
    workerData: { url: service.url, connections, flood: FLOODS[heads](target) },
  })
  scope.teardown(() => strangers.terminate())
  const memory: number[] = []
  for (let second = 0; second < seconds; second++) {
    await delay(1000)
    memory.push(megabytes())
  }
  end.abort()
  const { asked, failed, p50, p99, max } = await livez
  await strangers.terminate()
  const most = Math.max(...memory)
  let cool = 0
  while (megabytes() - before > (most - before) / 2 && cool < COOLING) {
    await delay(1000)
    cool++
  }
  const lives = service.process.exitCode === null && service.process.signalCode === null
  const quarters = [1, 2, 3, 4].map((part) => memory[Math.ceil((part * seconds) / 4) - 1])
  const rss = `${before}, ${quarters.join(', ')}; ${most}`
  return { heads, target, keys: keys !== '', lives, rss, cool, asked, failed, p50, p99, max }
}

if (parentPort) flood()

/** Keeps so many connections, and reads nothing. */
function flood(): void {
  const { url, connections, flood } = workerData
  const bytes = Buffer.from(flood, 'latin1')
  const strangers = new Strangers({ teardown: () => {} }, url)
  let opened = 0
  strangers.keep(new AbortController().signal, connections, () => {
    const socket = strangers.open(`127.0.2.${1 + (opened++ % ADDRESSES)}`, bytes)
    // Who only waits does not notice that a connection was ended.
    const again = setInterval(() => socket.writableLength > 0 || socket.write('G'), 1000)
    return socket.once('close', () => clearInterval(again))
  })
}
