import cluster from 'node:cluster'
import fp from 'fastify-plugin'
import { type Database, openDatabase } from '../src/store/sqlite/database.js'
import { logCreated, logExposed } from '../src/store/sqlite/private-files.js'
import { logViewChanges } from '../src/store/view-changes.js'

declare module 'fastify' {
  interface FastifyInstance {
    db: Database
  }
}

/** Decorates `fastify.db`: Drizzle on the configured database, its schema and views up to date. */
export default fp(
  async function databasePlugin(fastify) {
    const db = openDatabase(fastify.config.databaseUrl, {
      onViewChange: logViewChanges(fastify.log),
      onCreated: logCreated(fastify.log),
      // The primary has said it for its workers.
      ...(cluster.isPrimary && { onExposed: logExposed(fastify.log) }),
    })
    fastify.decorate('db', db)
    fastify.addHook('onClose', async () => {
      db.$client.close()
    })
  },
  { name: 'database' },
)
