import { Readable } from 'node:stream'
import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { employeeEtag } from '../src/employees/etag.js'
import {
  encodeValue,
  goneFault,
  isPlain,
  ListQuery,
  type PageQuery,
  type Position,
  pageQuery,
  valueAt,
} from '../src/employees/pages.js'
import {
  Created,
  Deleted,
  Employee,
  EmployeeCreation,
  EmployeeId,
  EmployeeList,
  EmployeePatch,
  MAX_AT_ONCE,
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
import { Preferences, wantsCount } from '../src/http/prefer.js'
import { errors, json, notModified } from '../src/http/responses.js'
import { Turns } from '../src/http/turns.js'
import { ref } from '../src/problems/schemas.js'

const NoSuchEmployee = createError('NO_SUCH_EMPLOYEE', 'There is no employee %s', 404)

/** Pages of more employees wait for a turn of their own: some hundred microseconds of work. */
const LONG_PAGE = 100
/** Whole lists that one client, by its key or else its address, may read at once. */
const LISTS_OF_A_CLIENT = 8

const TooManyLists = createError(
  'TOO_MANY_AT_ONCE',
  'You read %d whole lists at once already; read one of them to its end, or read pages (?limit=)',
  429,
)

/** Of an array of as many employees as there may be, with names of four bytes a character. */
const ARRAY_BYTES = 1024 * 1024

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

const JSON_TYPE = 'application/json; charset=utf-8'

const tags = ['employees']
const params = Type.Object({ id: EmployeeId })

const createEmployee = {
  operationId: 'createEmployee',
  summary: 'Create an employee, or all of an array or of lines',
  description:
    'Of an array all are created, or none; the answer has them in its order, Location is the page of them, ' +
    'and there is no ETag. A body of application/x-ndjson, an EmployeeCreate on each ' +
    'line and at most 50,000, is read as it comes: of it, too, all or none are created, and the answer is Imported. With an Idempotency-Key the request can be sent again when no answer came: for 24 hours the ' +
    'same key and body give the same answer and create nobody, whatever happened since.',
  tags,
  headers: IdempotencyKey,
  body: ref(EmployeeCreation),
  response: {
    201: json(Created, 'What was created', 'Location', 'ETag'),
    ...errors(NEGATIVE, 403, 413, 415, 422),
  },
}

const listEmployees = {
  operationId: 'listEmployees',
  summary: 'List employees: all of them, or a page',
  description:
    'Without `limit` the answer is everybody by ascending id, however many, as one streamed array; with it a ' +
    'page, sorted and filtered as an index serves it: at the same cost wherever it begins. With ' +
    '`Prefer: count=exact` it has the headers `X-Total-Count` and `Preference-Applied`.',
  tags,
  headers: Preferences,
  querystring: ListQuery,
  response: {
    200: json(
      EmployeeList,
      'Employees in the order that was asked for',
      'Link',
      'X-Total-Count',
      'Preference-Applied',
    ),
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
  const lists = new ConcurrencyLimit(LISTS_OF_A_CLIENT, TooManyLists)
  const turns = new Turns()

  fastify.post(
    '/employees',
    { schema: createEmployee, bodyLimit: ARRAY_BYTES, config: { readsLines: true } },
    create,
  )
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
    const { body } = request
    if (body instanceof Readable) {
      const { first, count, last } = await importAll(request, reply, scope)
      reply.code(201).type(JSON_TYPE)
      reply.header('location', pageAfter(first - 1, Math.min(count, MAX_AT_ONCE)))
      return reply.send(JSON.stringify({ count, first, last }))
    }
    if (Array.isArray(body)) {
      const created = await employees.createAll(body, scope)
      const { id } = created[0] as Employee
      reply.code(201).type(JSON_TYPE)
      reply.header('location', pageAfter(id - 1, created.length))
      // Of so many a serializer that looks at each field takes most of its time.
      return reply.send(JSON.stringify(created))
    }
    const { id, name, salary, department } = await employees.create(body, scope)
    const employee = { id, name, salary, department }
    reply.code(201).type(JSON_TYPE)
    reply.headers({ location: `/employees/${id}`, etag: employeeEtag(employee) })
    return reply.send(JSON.stringify(employee))
  }

  /** Who is told that it was not done, and sends on, is heard no more. */
  async function importAll(
    request: RequestOf<typeof createEmployee>,
    { raw }: ReplyOf<typeof createEmployee>,
    scope?: { client: string; key: string },
  ) {
    const { socket } = request.raw
    try {
      return await fastify.importEmployees(request as never, scope)
    } catch (error) {
      if (!request.raw.complete && fastify.connections.has(socket)) {
        raw.setHeader('connection', 'close')
        raw.once('finish', () => fastify.endConnection(socket))
      }
      throw error
    }
  }

  async function list(
    request: RequestOf<typeof listEmployees>,
    reply: ReplyOf<typeof listEmployees>,
  ) {
    const { query } = request
    const isCounted = query.limit !== undefined && wantsCount(request)
    reply.type(JSON_TYPE)
    if (isCounted || !isPlain(query)) return sortedList(request, reply, isCounted)
    const { limit, after } = query
    const department = query.department?.[0]
    const filter = {
      ...(department !== undefined && { department }),
      ...(after !== undefined && { after }),
    }
    if (limit !== undefined) {
      if (limit > LONG_PAGE) await turns.next()
      const { employees: page, next } = await employees.page({ ...filter, limit })
      if (next !== undefined) {
        reply.header('link', `<${pageAfter(next, limit, department)}>; rel="next"`)
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
      return (await employees.list(filter)).once('close', leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  /** A page that is not by ascending id, or more than one department's, or counted. */
  async function sortedList(
    request: RequestOf<typeof listEmployees>,
    reply: ReplyOf<typeof listEmployees>,
    isCounted: boolean,
  ) {
    const { query } = request
    const wanted = pageQuery(query, isCounted)
    const after = await positionOf(query, wanted)
    // Counting, too, holds the event loop for some milliseconds, where the database is in this process.
    const leave = isCounted ? lists.enter(clientOf(request)) : undefined
    try {
      if (isCounted || wanted.limit > LONG_PAGE) await turns.next()
      const page = await employees.sortedPage(after ? { ...wanted, after } : wanted)
      const last = page.employees.at(-1)
      if (page.hasMore && last) {
        reply.header('link', `<${sortedPageAfter(last, query, wanted)}>; rel="next"`)
      }
      if (isCounted) {
        reply.headers({ 'x-total-count': page.total, 'preference-applied': 'count=exact' })
      }
      return reply.send(JSON.stringify(page.employees))
    } finally {
      leave?.()
    }
  }

  /** Where a page begins: where the Link header says that an employee stood, or else where it stands now. */
  async function positionOf(query: ListQuery, { by }: PageQuery): Promise<Position | undefined> {
    const value = valueAt(query, by)
    const { after: id } = query
    if (id === undefined) return undefined
    if (value !== undefined) return { id, value }
    if (by === 'id') return { id }
    const employee = await employees.get(id)
    if (!employee) throw goneFault(id)
    return { id, value: employee[by] }
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
  return `/employees?${filter}limit=${limit}&after=${id}`
}

/** The path of the page behind an employee, with where it stands: paging goes on when it is changed, or gone. */
function sortedPageAfter(last: Employee, query: ListQuery, { by }: PageQuery): string {
  const { department = [], at: _, ...others } = query
  const parameters = new URLSearchParams(department.map((each) => ['department', each]))
  for (const [name, value] of Object.entries({ ...others, after: last.id })) {
    parameters.set(name, `${value}`)
  }
  if (by !== 'id') parameters.set('at', encodeValue(last[by]))
  return `/employees?${parameters}`
}
