import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import fp from 'fastify-plugin'
import { isMonitoring } from '../src/auth/public-routes.js'
import { sendAsProblem } from '../src/http/send-problem.js'
import { problem } from '../src/problems/problem.js'

/** The mean of a sample: one long turn drowns in the short ones, a loop that never catches up does not. */
const MAX_EVENT_LOOP_DELAY_MS = 1000
const RESOLUTION_MS = 10
const SAMPLE_INTERVAL_MS = 5000
/** Past this V8 collects garbage all the time, and soon ends the process. */
const MAX_HEAP_USED_BYTES = 0.9 * getHeapStatistics().heap_size_limit
/** Until the next sample nothing changes. */
const RETRY_AFTER_SECONDS = SAMPLE_INTERVAL_MS / 1000

declare module 'fastify' {
  interface FastifyInstance {
    isUnderPressure: () => boolean
  }
}

/**
 * Turns requests away with 503 while the process is overloaded, so that those under way get done;
 * probes and metrics are answered all the same.
 *
 * Not by @fastify/under-pressure: it asks for `process.memoryUsage()`, which reads a file, and whose
 * failure in a timer ends a process that has no descriptor left. What is asked here opens nothing.
 */
export default fp(
  async function overloadPlugin(fastify) {
    const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    delays.enable()
    let overloaded = false
    const sampling = setInterval(sample, SAMPLE_INTERVAL_MS).unref()
    fastify.decorate('isUnderPressure', () => overloaded)
    fastify.addHook('onClose', async () => {
      clearInterval(sampling)
      delays.disable()
    })
    fastify.addHook('onRequest', function refuseWhenOverloaded(request, reply, done) {
      if (!overloaded || isMonitoring(request)) return done()
      // Sent, not thrown: a stack in the log for each would add to the load.
      reply.headers({ 'cache-control': 'no-store', 'retry-after': RETRY_AFTER_SECONDS })
      const detail = 'The service is overloaded; try again later'
      sendAsProblem(reply, problem('overloaded', detail, request.url))
    })

    function sample(): void {
      // None at all: the loop stood still all the time, and the mean is no number.
      const isLate = !(delays.mean / 1e6 - RESOLUTION_MS <= MAX_EVENT_LOOP_DELAY_MS)
      delays.reset()
      overloaded = isLate || getHeapStatistics().used_heap_size > MAX_HEAP_USED_BYTES
    }
  },
  { name: 'overload' },
)
