import Sqlite from 'better-sqlite3'
import { eq, gt, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { pathOf } from '../../src/store/sqlite/open.js'
import { keepAndRestore, TOP_2_BY_WINDOW } from './employees.js'
import type { Levels, Started } from './protocol.js'

/** A library that caches, as its users call it. */
export interface PeerCache {
  /** The JSON under a key; made, and kept for {@link TTL_SECONDS}, if it is not there. */
  getOrSet(key: string, make: () => string): Promise<string | Buffer>
  delete(keys: string[]): Promise<unknown>
}

export const TTL_SECONDS = 300

const employees = sqliteTable('employees', {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull(),
  salary: real().notNull(),
  department: text().notNull(),
})

const KEYS = ['high-salary', 'top2-by-department']

const fields = {
  name: { type: 'string', minLength: 1, maxLength: 100 },
  salary: { type: 'number', minimum: 0, maximum: 1e12 },
  department: { type: 'string', minLength: 1, maxLength: 100 },
} as const
const one = { type: 'object', properties: { id: { type: 'integer' }, ...fields } }
const params = { type: 'object', properties: { id: { type: 'integer', minimum: 1 } } }
const limit = { type: 'integer', minimum: 1, maximum: 1000 }
const changes = { type: 'object', properties: fields, additionalProperties: false }

interface ById {
  Params: { id: number }
}
type Body = Omit<typeof employees.$inferSelect, 'id'>

/**
 * The same routes as they are mostly written: Fastify, Drizzle on SQLite, and a library that keeps both
 * views until the next write, whatever it changed.
 *
 * @param createCache may put its plugin into the app
 */
export async function startPeer(
  databaseUrl: string,
  createCache: (app: FastifyInstance) => Promise<PeerCache>,
): Promise<Started> {
  const client = new Sqlite(pathOf(databaseUrl))
  client.pragma('journal_mode = WAL')
  // As durable as the service: what was answered is on the disk.
  client.pragma('synchronous = FULL')
  const queries = prepare(client)
  const app = Fastify()
  const cache = await createCache(app)
  let levels: Levels = 'near'

  view('high-salary', () => JSON.stringify(queries.high.all()))
  view('top2-by-department', () => JSON.stringify(queries.top2.all()))

  app.get<{ Querystring: { limit: number } }>(
    '/employees',
    { schema: { querystring: { type: 'object', properties: { limit }, required: ['limit'] } } },
    (request, reply) => {
      reply.type('application/json; charset=utf-8')
      return reply.send(JSON.stringify(queries.page.all(request.query)))
    },
  )

  app.get<ById>(
    '/employees/:id',
    { schema: { params, response: { 200: one } } },
    async (request, reply) => queries.byId.get(request.params) ?? reply.callNotFound(),
  )

  app.post<{ Body: Body }>(
    '/employees',
    { schema: { body: { ...changes, required: Object.keys(fields) }, response: { 201: one } } },
    async (request, reply) => {
      const employee = queries.insert.get({ ...request.body })
      await cache.delete(KEYS)
      return reply.code(201).header('location', `/employees/${employee.id}`).send(employee)
    },
  )

  app.put<ById & { Body: Partial<Body> }>(
    '/employees/:id',
    { schema: { params, body: changes, response: { 200: one } } },
    async (request, reply) => {
      const { name = null, salary = null, department = null } = request.body
      const employee = queries.update.get({ ...request.params, name, salary, department })
      if (!employee) return reply.callNotFound()
      await cache.delete(KEYS)
      return employee
    },
  )

  const { keep, restore } = keepAndRestore((statement) => client.exec(statement))
  const questions = {
    use(chosen: Levels) {
      levels = chosen
    },
    keep,
    async restore() {
      await restore()
      await cache.delete(KEYS)
    },
  }
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), questions }

  function view(key: string, make: () => string): void {
    app.get(`/employees/${key}`, async (_request, reply) => {
      reply.type('application/json; charset=utf-8')
      // A miss without what the library adds to it, which flatters the library.
      return levels === 'none' ? make() : cache.getOrSet(key, make)
    })
  }
}

/** Drizzle makes the text of a query anew at each call, unless it is prepared. */
function prepare(client: Sqlite.Database) {
  const db = drizzle({ client })
  const { id, name, salary, department } = employees
  const given = (column: string) => sql`${sql.placeholder(column)}`
  return {
    high: db.select().from(employees).where(gt(salary, 100_000)).orderBy(id).prepare(),
    top2: { all: () => db.all(sql.raw(TOP_2_BY_WINDOW)) },
    page: db.select().from(employees).orderBy(id).limit(sql.placeholder('limit')).prepare(),
    byId: db
      .select()
      .from(employees)
      .where(eq(id, sql.placeholder('id')))
      .prepare(),
    insert: db
      .insert(employees)
      .values({ name: given('name'), salary: given('salary'), department: given('department') })
      .returning()
      .prepare(),
    update: db
      .update(employees)
      .set({
        name: sql`coalesce(${given('name')}, ${name})`,
        salary: sql`coalesce(${given('salary')}, ${salary})`,
        department: sql`coalesce(${given('department')}, ${department})`,
      })
      .where(eq(id, sql.placeholder('id')))
      .returning()
      .prepare(),
  }
}
