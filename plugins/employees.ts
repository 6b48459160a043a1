import fp from 'fastify-plugin'
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
    const store = createSqliteStore(fastify.db)
    fastify.decorate('employees', store)
    fastify.addHook('onClose', async () => store.close())
  },
  { name: 'employees', dependencies: ['database'] },
)
