import type { onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { JsonArrayStream } from '../src/employees/json-array-stream.js'
import { createSqliteStore } from '../src/employees/sqlite-store.js'
import type { EmployeeStore } from '../src/employees/store.js'

declare module 'fastify' {
  interface FastifyInstance {
    employees: EmployeeStore
  }
}

/** Decorates `fastify.employees`: everything the service knows about employees. */
export default fp(
  async function employeesPlugin(fastify) {
    const store = createSqliteStore(fastify.db, { onBatch: fastify.metrics.committed })
    fastify.metrics.watchStore(store.figures)
    fastify.decorate('employees', store)
    fastify.addHook('onClose', async () => store.close())

    // Behind the hooks of the route: a view that is being cached is read to its end, since others may
    // wait for it.
    fastify.addHook('onRoute', (route) => {
      if (route.method === 'GET') route.onSend = [route.onSend ?? [], endWithClient].flat()
    })
  },
  { name: 'employees', dependencies: ['database', 'metrics'] },
)

/**
 * Rows hold a snapshot open. When a client leaves, Node ends only the answer that is being sent, not
 * those that were pipelined behind it.
 */
const endWithClient: onSendHookHandler<unknown> = ({ raw }, _reply, payload, done) => {
  if (payload instanceof JsonArrayStream) {
    if (raw.destroyed) payload.destroy()
    else raw.once('close', () => payload.destroy())
  }
  done()
}
