import type { onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { addLast } from '../src/http/route-hooks.js'
import { JsonArrayStream } from '../src/store/json-array-stream.js'
import type { EmployeeStore, ViewStore } from '../src/store/store.js'
import { logViewChanges } from '../src/store/view-changes.js'

declare module 'fastify' {
  interface FastifyInstance {
    employees: EmployeeStore
    views: ViewStore
  }
}

/** Decorates `fastify.employees` and `fastify.views`: everything that the database knows. */
export default fp(
  async function storePlugin(fastify) {
    const store = fastify.db.createStore({
      onBatch: fastify.metrics.committed,
      onProbe: fastify.metrics.probed,
      onViewChange: logViewChanges(fastify.log),
    })
    fastify.metrics.watchStore(store.stats, store.views.ages)
    fastify.decorate('employees', store.employees)
    fastify.decorate('views', store.views)
    fastify.addHook('onClose', () => store.close())

    // Behind the hooks of the route: a view that is being cached is read to its end, since others may
    // wait for it.
    fastify.addHook('onRoute', (route) => {
      if (route.method === 'GET') addLast(route, 'onSend', endWithClient)
    })
  },
  { name: 'store', dependencies: ['database', 'metrics'] },
)

/**
 * Rows hold a snapshot open. When a client leaves, Node ends only the answer that is being sent, not
 * those that were pipelined behind it.
 */
const endWithClient: onSendHookHandler<unknown> = (_request, { raw }, payload, done) => {
  if (payload instanceof JsonArrayStream) {
    if (raw.destroyed) payload.destroy()
    else raw.once('close', () => payload.destroy())
  }
  done()
}
