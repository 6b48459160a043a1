import { Readable } from 'node:stream'
import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { decodeCursor, encodeCursor } from '../src/employees/cursor.js'
import { employeeEtag } from '../src/employees/etag.js'
import {
  Deleted,
  Department,
  Employee,
  EmployeeCreate,
  EmployeeId,
  EmployeeList,
  EmployeePatch,
} from '../src/employees/schemas.js'
import { CACHE_CONTROL } from '../src/http/cache-control.js'
import { clientOf } from '../src/http/client-address.js'
import { ConcurrencyLimit } from '../src/http/concurrency-limit.js'
import type { ReplyOf, RequestOf } from '../src/http/handlers.js'
import { IdempotencyKey, idempotencyKeyOf } from '../src/http/idempotency-key.js'
import {
  assertUnchanged,
  ChangeConditions,
  noneMatch,
  ReadConditions,
} from '../src/http/preconditions.js'
import { errors, json, notModified } from '../src/http/responses.js'
import { Turns } from '../src/http/turns.js'
import { ref } from '../src/problems/schemas.js'

const NoSuchEmployee = createError('NO_SUCH_EMPLOYEE', 'There is no employee %s', 404)

/** Pages of more employees wait for a turn of their own: some hundred microseconds of work. */
const LONG_PAGE = 100
/** Whole lists that one client, by its key or else its address, may read at once. */
const LISTS_OF_A_CLIENT = 8

/** What a 400 may say of a body, and of a query. */
const NEGATIVE = {
  path: '/body/salary',
  code: 'too_small',
  message: 'must be >= 0, got -1',
} as const
const TOO_MANY = {
  path: '/query/limit',
  code: 'too_large',
  message: 'must be <= 1000, got 5000',
} as const

/** An employee whose example is what the body's example makes of it. */
const Changed = {
  ...Employee,
  examples: [{ ...Employee.examples[0], ...EmployeePatch.examples[0] }],
}

const tags = ['employees']
const params = Type.Object({ id: EmployeeId })

const createEmployee = {
  operationId: 'createEmployee',
  summary: 'Create an employee',
  description:
    'With an Idempotency-Key the request can be sent again when no answer came: for 24 hours the ' +
    'same key and body give the same answer and create nobody, whatever happened since.',
  tags,
  headers: IdempotencyKey,
  body: ref(EmployeeCreate),
  response: {
    201: json(Employee, 'The new employee', 'Location', 'ETag'),
    ...errors(NEGATIVE, 403, 413, 415, 422),
  },
}

const listEmployees = {
  operationId: 'listEmployees',
  summary: 'List employees by ascending id: all of them, or a page',
  description: 'Without `limit` the answer is everybody, however many, as one streamed array.',
  tags,
  querystring: Type.Object(
    {
      department: Type.Optional(Department),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1000,
          description: 'The size of a page',
          examples: [100],
        }),
      ),
      after: Type.Optional(
        Type.String({
          maxLength: 100,
          description: 'Where to go on: the cursor of the Link header',
          examples: ['YWZ0ZXI6MTAw'],
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: {
    200: json(EmployeeList, 'Employees by ascending id', 'Link'),
    ...errors(TOO_MANY),
  },
}

const getEmployee = {
  operationId: 'getEmployee',
  summary: 'Read an employee',
  tags,
  params,
  headers: ReadConditions,
  response: {
    200: json(Employee, 'The employee', 'ETag'),
    304: notModified('ETag'),
    ...errors(400, 404, 414),
  },
}

const change = {
  tags,
  params,
  headers: ChangeConditions,
  body: ref(EmployeePatch),
  response: {
    200: json(Changed, 'The employee as it is now', 'ETag'),
    ...errors(NEGATIVE, 403, 404, 412, 413, 414, 415),
  },
}

const updateEmployee = {
  operationId: 'updateEmployee',
  summary: 'Change an employee; fields left out keep their value',
  ...change,
}

const patchEmployee = {
  operationId: 'patchEmployee',
  summary: 'Change an employee by JSON Merge Patch (RFC 7396)',
  consumes: ['application/merge-patch+json', 'application/json'],
  ...change,
}

const deleteEmployee = {
  operationId: 'deleteEmployee',
  summary: 'Delete an employee',
  tags,
  params,
  headers: ChangeConditions,
  response: {
    200: json(Deleted, 'The employee is gone'),
    ...errors(400, 403, 404, 412, 413, 414, 415),
  },
}

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { employees, inARow: onRequest } = fastify
  const lists = new ConcurrencyLimit(LISTS_OF_A_CLIENT)
  const turns = new Turns()

  fastify.post('/employees', { schema: createEmployee }, create)
  fastify.get('/employees', { schema: listEmployees, onRequest }, list)
  fastify.get('/employees/:id', { schema: getEmployee, onRequest }, get)
  fastify.put('/employees/:id', { schema: updateEmployee }, update)
  fastify.patch('/employees/:id', { schema: patchEmployee }, update)
  fastify.delete('/employees/:id', { schema: deleteEmployee }, remove)

  async function create(
    request: RequestOf<typeof createEmployee>,
    reply: ReplyOf<typeof createEmployee>,
  ) {
    const key = idempotencyKeyOf(request)
    const scope = key === undefined ? undefined : { client: request.apiKey?.name ?? '', key }
    const employee = await employees.create(request.body, scope)
    reply.code(201).headers({ location: `/employees/${employee.id}`, etag: employeeEtag(employee) })
    return employee
  }

  async function list(
    request: RequestOf<typeof listEmployees>,
    reply: ReplyOf<typeof listEmployees>,
  ) {
    const { limit, after: cursor, ...filter } = request.query
    const query = cursor === undefined ? filter : { ...filter, after: behind(cursor) }
    reply.type('application/json; charset=utf-8')
    if (limit !== undefined) {
      if (limit > LONG_PAGE) await turns.next()
      const { employees: page, next } = await employees.page({ ...query, limit })
      if (next !== undefined) {
        reply.header('link', `<${pageAfter(next, limit, filter.department)}>; rel="next"`)
      }
      // Once a page is long, a serializer that looks at each field takes most of its time.
      return reply.send(JSON.stringify(page))
    }
    // For HEAD everybody would be read only to be dropped.
    if (request.method === 'HEAD') {
      const coding = reply.coding()
      if (coding) reply.sentIn(coding)
      return Readable.from([])
    }
    const leave = lists.enter(clientOf(request))
    try {
      return (await employees.list(query)).once('close', leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  async function get(request: RequestOf<typeof getEmployee>, reply: ReplyOf<typeof getEmployee>) {
    const employee = existing(await employees.get(request.params.id), request)
    const etag = employeeEtag(employee)
    reply.headers({ etag, 'cache-control': CACHE_CONTROL })
    if (!noneMatch(request, etag)) return reply.code(304).send()
    return employee
  }

  async function update(request: RequestOf<typeof change>, reply: ReplyOf<typeof change>) {
    const { id } = request.params
    const unchanged = (current: Employee) => assertUnchanged(request, employeeEtag(current))
    const employee = existing(await employees.update(id, request.body, unchanged), request)
    reply.header('etag', employeeEtag(employee))
    return employee
  }

  async function remove(request: RequestOf<typeof deleteEmployee>) {
    const { id } = request.params
    const unchanged = (current: Employee) => assertUnchanged(request, employeeEtag(current))
    existing((await employees.delete(id, unchanged)) || undefined, request)
    return { message: 'Deleted' } as const
  }
}

export default routes

/** @throws {NoSuchEmployee} */
function existing<T>(found: T | undefined, { params }: { params: { id: number } }): T {
  if (found === undefined) throw new NoSuchEmployee(params.id)
  return found
}

/** The path of the page behind an id. (URLSearchParams would take a microsecond more.) */
function pageAfter(id: number, limit: number, department?: string): string {
  const filter = department === undefined ? '' : `department=${encodeURIComponent(department)}&`
  return `/employees?${filter}limit=${limit}&after=${encodeCursor(id)}`
}

/** The id that a cursor stands for; a cursor that is none of ours is an error like Ajv's. */
function behind(cursor: string): number {
  const id = decodeCursor(cursor)
  if (id !== undefined) return id
  throw Object.assign(new Error('invalid cursor'), {
    validationContext: 'querystring',
    validation: [
      {
        keyword: 'cursor',
        instancePath: '/after',
        message: 'must be the cursor of a Link header',
        data: cursor,
      },
    ],
  })
}
