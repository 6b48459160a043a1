import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { announceView, sendCopy, sendNotModified } from '../src/cache/answers.js'
import { collect } from '../src/cache/collect.js'
import { Flights } from '../src/cache/flights.js'
import type { Copy } from '../src/cache/near-copies.js'
import { cacheKey } from '../src/cache/versioned.js'
import { EmployeeList } from '../src/employees/schemas.js'
import { ReadConditions } from '../src/http/preconditions.js'
import { errors, json, notModified } from '../src/http/responses.js'

const VIEW = 'top2_by_dept'

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

/** Caching by hand: which key, how long, and what happens without Redis, all stand here. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { employees, metrics, nearCopies, redis, viewVersion } = fastify
  const ttl = fastify.config.cacheTtlSeconds
  const flights = new Flights<Copy>()

  fastify.get('/employees/top2-by-department', { schema }, getTopTwo)

  async function getTopTwo(request: FastifyRequest, reply: FastifyReply) {
    const version = await viewVersion(VIEW)
    if (sendNotModified(request, reply, VIEW, version)) return
    const near = nearCopies.get(VIEW, version)
    if (near) sendCopy(reply, near, 'near')
    else await getFromFar(reply, version)
  }

  async function getFromFar(reply: FastifyReply, version: string) {
    const key = cacheKey(VIEW, version)
    const flight = flights.join(key)
    if (flight) {
      const shared = await flight
      return shared ? sendCopy(reply, shared, 'collapsed') : fill(reply)
    }

    const land = flights.lead(key)
    try {
      const stored = await fromRedis(key, version)
      if (stored) {
        land(stored)
        return sendCopy(reply, stored, 'redis')
      }
      return await fill(reply, land)
    } finally {
      land()
    }
  }

  async function fromRedis(key: string, version: string) {
    try {
      const [body, left] = await Promise.all([redis.getBuffer(key), redis.pttl(key)])
      return body && left > 0 ? nearCopies.set(VIEW, version, body, left) : undefined
    } catch {
      return undefined // Redis is away: a miss.
    }
  }

  async function fill(reply: FastifyReply, land: (copy: Copy) => void = () => {}) {
    const view = await employees.view(VIEW)
    const body = await collect(view)
    const { version } = view
    if (Buffer.isBuffer(body)) metrics.viewFilled(VIEW, view.age / 1000)
    if (!Buffer.isBuffer(body) || version !== (await employees.version(VIEW))) {
      announceView(reply, VIEW, version, 'passed')
      return reply.send(body)
    }
    land(nearCopies.set(VIEW, version, body, ttl * 1000))
    redis.set(cacheKey(VIEW, version), body, 'EX', ttl).catch(() => {})
    announceView(reply, VIEW, version, 'stored')
    return reply.send(body)
  }
}

export default routes
