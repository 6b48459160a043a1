import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook (onRequest) behind which the requests of a turn of the event loop go on in a row. */
    inARow: onRequestHookHandler
  }
}

/**
 * Decorates `fastify.inARow`, for requests that are answered at once. To parse one and answer it, then the
 * next one, costs a server more than to do each in a row: whom it answers wakes up for each answer, and
 * waits again. They go on in the check phase, behind the poll phase that has brought them.
 */
export default fp(
  async function inARowPlugin(fastify) {
    let waiting: (() => void)[] = []

    fastify.decorate('inARow', function waitForOthers(_request, _reply, done) {
      if (waiting.push(done) === 1) setImmediate(goOn)
    })

    function goOn(): void {
      const all = waiting
      waiting = []
      for (const done of all) done()
    }
  },
  { name: 'in-a-row' },
)
