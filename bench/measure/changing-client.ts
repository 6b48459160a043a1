import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { quantile } from '../median.js'
import { type Asked, CLIENTS, type ClientName, type Known } from './changing-load.js'
import type { Answered } from './results.js'

export interface Task {
  url: string
  client: ClientName
  seconds: number
  known: Known
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** A client in a process of its own, so that none waits for what another one has to read. */
process.once('message', async (task: Task) => {
  const answered = await run(task)
  process.send?.(answered, () => process.exit())
})

async function run({ url, client, seconds, known }: Task): Promise<Answered> {
  const { ask, next } = CLIENTS[client]
  const times: number[] = []
  const sources: Record<string, number> = {}
  // The first one connects, and compiles.
  await answer(url, ask(known))
  let due = performance.now()
  const end = due + 1000 * seconds
  do {
    await setTimeout(Math.max(0, due - performance.now()))
    const { ms, source } = await answer(url, ask(known))
    times.push(ms)
    if (source) sources[source] = (sources[source] ?? 0) + 1
    due = next(due, performance.now())
  } while (due < end)
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(times, share))
  return { count: times.length, p50, p99, max, sources } as Answered
}

/** Reads an answer to its end; when its first byte came, and where it says that it is from. */
async function answer(url: string, { method, path, body }: Asked) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const start = performance.now()
  const asked = request(url + path, { method, agent, headers }).end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const ms = performance.now() - start
  await once(response.resume(), 'end')
  if (response.statusCode !== 200) throw new Error(`${method} ${path} gave ${response.statusCode}`)
  return { ms, source: sourceOf(response.headers['cache-status']) }
}

/** The last word of a hit or a miss in `Cache-Status`; a fill that was not kept has none. */
function sourceOf(status: string | string[] | undefined): string | undefined {
  if (status === undefined) return undefined
  return /(?:detail=|; )(near|parts|redis|stored|collapsed)\b/.exec(`${status}`)?.[1] ?? 'passed'
}
