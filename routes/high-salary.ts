import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { highSalary } from '../drizzle/views/high-salary.js'
import { EmployeeList } from '../src/employees/schemas.js'
import { ReadConditions } from '../src/http/preconditions.js'
import { errors, json, notModified } from '../src/http/responses.js'

const schema = {
  operationId: 'listHighSalaryEmployees',
  summary: 'Everybody who earns more than 100000, by ascending id',
  tags: ['views'],
  headers: ReadConditions,
  response: {
    200: json(EmployeeList, 'Employees by ascending id', 'ETag', 'Cache-Status'),
    304: notModified('ETag', 'Cache-Status'),
    ...errors(),
  },
}

/** Declarative caching: the route only says that it is cached; the caching plugin does the rest. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const cache = { view: highSalary, ttl: fastify.config.cacheTtlSeconds }

  fastify.get('/employees/high-salary', { schema, config: { cache } }, ({ asked }) =>
    fastify.views.read(highSalary, asked?.deadline),
  )
}

export default routes
