import { getHeapStatistics } from 'node:v8'
import fastifyUnderPressure from '@fastify/under-pressure'
import fp from 'fastify-plugin'
import { isMonitoring } from '../src/auth/public-routes.js'
import { PROBLEM_TYPE, problem } from '../src/problems/problem.js'

/** The mean of a sample: one long turn drowns in the short ones, a loop that never catches up does not. */
const MAX_EVENT_LOOP_DELAY_MS = 1000
const SAMPLE_INTERVAL_MS = 5000
/** Past this V8 collects garbage all the time, and soon ends the process. */
const MAX_HEAP_USED_BYTES = 0.9 * getHeapStatistics().heap_size_limit
/** Until the next sample nothing changes. */
const RETRY_AFTER_SECONDS = SAMPLE_INTERVAL_MS / 1000

/**
 * Turns requests away with 503 while the process is overloaded, so that those under way get done;
 * probes and metrics are answered all the same.
 */
export default fp(
  async function overloadPlugin(fastify) {
    await fastify.register(fastifyUnderPressure, {
      maxEventLoopDelay: MAX_EVENT_LOOP_DELAY_MS,
      maxHeapUsedBytes: MAX_HEAP_USED_BYTES,
      sampleInterval: SAMPLE_INTERVAL_MS,
      pressureHandler: async (request, reply) => {
        if (isMonitoring(request)) return
        // Sent, not thrown: a stack in the log for each would add to the load.
        reply
          .code(503)
          .headers({ 'cache-control': 'no-store', 'retry-after': RETRY_AFTER_SECONDS })
          .type(PROBLEM_TYPE)
          .send(problem(503, 'The service is overloaded; try again later', request.url))
      },
    })
  },
  { name: 'overload' },
)
