import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EmployeeList } from '../src/employees/schemas.js'
import { ReadConditions } from '../src/http/preconditions.js'
import { errors, json, notModified } from '../src/http/responses.js'

const VIEW = 'high_salary_emps'

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
  const cache = { view: VIEW, ttl: fastify.config.cacheTtlSeconds }

  fastify.get('/employees/high-salary', { schema, config: { cache } }, () =>
    fastify.employees.view(VIEW),
  )
}

export default routes
