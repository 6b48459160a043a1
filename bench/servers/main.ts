import { startBentoCache } from './bentocache.js'
import { startFastify } from './fastify.js'
import { startFastifyCaching } from './fastify-caching.js'
import { startPool } from './pool.js'
import type { Answers, Questions, ServerOptions, Started } from './protocol.js'
import { startService } from './service.js'

/** How often the memory is looked at. */
const SAMPLE_MS = 20

interface Question {
  id: number
  ask: keyof Questions
  args: unknown[]
}

let peak = 0
/** It begins when the peak is asked for: a look takes as long as some requests. */
let isSampling = false

/** What every server can be asked. */
const common: Answers = {
  cpu() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  rss() {
    globalThis.gc?.()
    return process.memoryUsage.rss()
  },
  peak() {
    const most = peak
    peak = 0
    if (!isSampling) setInterval(look, SAMPLE_MS)
    isSampling = true
    return most
  },
}

function look(): void {
  peak = Math.max(peak, process.memoryUsage.rss())
}

/** A server as a process of its own: started by its first message, asked by those that follow. */
process.once('message', async (options: ServerOptions) => {
  const { url, questions } = await start(options)
  const answers: Answers = { ...common, ...questions }
  process.on('message', async ({ id, ask, args }: Question) => {
    process.send?.({ id, answer: await answers[ask]?.(...(args as never[])) })
  })
  process.send?.({ url })
})
process.once('disconnect', () => process.exit())

function start(options: ServerOptions): Promise<Started> {
  switch (options.kind) {
    case 'fastify':
      return startFastify(options.answers)
    case 'pool':
      return startPool(options.databaseUrl)
    case 'bentocache':
      return startBentoCache(options.databaseUrl, options.redisUrl)
    case 'fastify-caching':
      return startFastifyCaching(options.databaseUrl)
    case 'service':
      return startService(options)
  }
}
