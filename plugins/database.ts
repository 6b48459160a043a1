import fp from 'fastify-plugin'
import { type Database, openDatabase } from '../src/database/sqlite.js'

declare module 'fastify' {
  interface FastifyInstance {
    db: Database
  }
}

/** Decorates `fastify.db`: Drizzle on the configured database, its schema up to date. */
export default fp(
  async function databasePlugin(fastify) {
    const db = openDatabase(fastify.config.databaseUrl)
    fastify.decorate('db', db)
    fastify.addHook('onClose', async () => {
      db.$client.close()
    })
  },
  { name: 'database' },
)
