import cluster from 'node:cluster'
import fp from 'fastify-plugin'
import { type AnyDatabase, openDatabase } from '../src/store/open.js'
import { logCreated, logExposed } from '../src/store/sqlite/private-files.js'
import { logViewChanges } from '../src/store/view-changes.js'

declare module 'fastify' {
  interface FastifyInstance {
    db: AnyDatabase
  }
}

/** Decorates `fastify.db`: the configured database, its schema and views up to date; Drizzle on it is `fastify.db.drizzle`. */
export default fp(
  async function databasePlugin(fastify) {
    const db = await openDatabase(fastify.config.databaseUrl, {
      onViewChange: logViewChanges(fastify.log),
      onCreated: logCreated(fastify.log),
      // The primary has said it for its workers.
      ...(cluster.isPrimary && { onExposed: logExposed(fastify.log) }),
    })
    fastify.decorate('db', db)
    fastify.addHook('onClose', () => db.close())
  },
  { name: 'database' },
)
