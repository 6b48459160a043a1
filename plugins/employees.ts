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

    // Rows hold a snapshot open. When a client leaves, Node ends only the answer that is being sent,
    // not those that were pipelined behind it.
    fastify.addHook('onSend', ({ raw }, _reply, payload, done) => {
      if (!(payload instanceof JsonArrayStream)) return done()
      if (raw.destroyed) payload.destroy()
      else raw.once('close', () => payload.destroy())
      done()
    })
  },
  { name: 'employees', dependencies: ['database', 'metrics'] },
)
