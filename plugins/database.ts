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
    const { config } = fastify
    const db = await openDatabase(config.databaseUrl, {
      onViewChange: logViewChanges(fastify.log),
      onCreated: logCreated(fastify.log),
      onPrimary: (host) =>
        fastify.log.info({ 'server.address': host }, 'this server is the primary of the database'),
      onLost: (reason) =>
        fastify.log.warn({ 'error.message': reason }, 'the primary of the database was lost'),
      leaseMs: config.databaseLeaseMs,
      maxStalenessMs: config.viewMaxStalenessMs,
      // The primary has said it for its workers.
      ...(cluster.isPrimary && { onExposed: logExposed(fastify.log) }),
    })
    fastify.decorate<AnyDatabase>('db', db)
    fastify.addHook('onClose', () => db.close())
  },
  { name: 'database' },
)
