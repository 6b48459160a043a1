import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { top2ByDepartment } from '../drizzle/views/top2-by-department.js'
import { cacheKey } from '../src/cache/cache-key.js'
import { EmployeeList } from '../src/employees/schemas.js'
import { knownTag, ReadConditions } from '../src/http/preconditions.js'
import { errors, json, notModified } from '../src/http/responses.js'

const schema = {
  operationId: 'listTopEarnersByDepartment',
  summary: 'Everybody whose rank by salary within the department is 1 or 2',
  description:
    'By department, salary from the highest down, and id. Equal salaries share a rank, so that a department may have more than two.',
  tags: ['views'],
  headers: ReadConditions,
  response: {
    200: json(EmployeeList, 'The top earners of each department', 'ETag', 'Cache-Status'),
    304: notModified('ETag', 'Cache-Status'),
    ...errors(),
  },
}

/** Caching by hand: which key, for how long, and what is asked of Redis all stand here. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { redis, viewCache, views } = fastify
  const ttl = fastify.config.cacheTtlSeconds * 1000

  const inRedis = {
    ttl,

    key(version: string) {
      return cacheKey('top2_by_dept', version)
    },

    async get(key: string) {
      const [value, left] = await Promise.all([redis.getBuffer(key), redis.pttl(key)])
      return value && left > 0 ? { value, ttl: left } : undefined
    },

    set(key: string, value: Buffer, left: number) {
      return redis.set(key, value, 'PX', left)
    },

    unlink(key: string) {
      return redis.unlink(key)
    },
  }

  fastify.get(
    '/employees/top2-by-department',
    { schema, config: { view: top2ByDepartment } },
    getTopTwo,
  )

  async function getTopTwo(request: FastifyRequest, reply: FastifyReply) {
    const answer = await viewCache.answer(
      top2ByDepartment,
      inRedis,
      knownTag(request),
      (deadline) => views.read(top2ByDepartment, deadline),
      request.asked,
    )
    return reply.sendView(top2ByDepartment, answer)
  }
}

export default routes
