import { PostgresServer } from '../../test/support/postgres-server.js'
import { RedisServer } from '../../test/support/redis-server.js'
import type { Scope } from '../../test/support/scope.js'
import { RECORDED } from '../loads.js'
import type { Server } from '../rows.js'
import { serverBehind } from '../servers/postgres.js'
import { ServerProcess, type Target } from '../servers/process.js'
import type { Recorded, ServerOptions } from '../servers/protocol.js'
import { startWorkers } from '../servers/workers.js'
import { createPostgres, type Databases } from './database.js'
import { answerOf } from './wire.js'

/** What a framework or Node adds to an answer by itself. */
const OWN_HEADERS = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']

export type Servers = Map<Server, Target>

/**
 * Starts servers, each over a database of its own. They share one core, as only one of them is asked at a
 * time. PostgreSQL and the two workers have all cores: they would not be what they are on one.
 */
export async function startServers(
  scope: Scope,
  wanted: Set<Server>,
  databases: Databases,
  employees: number,
): Promise<Servers> {
  const servers: Servers = new Map()
  const add = async (server: Server, start: () => Promise<Target>) => {
    if (wanted.has(server)) servers.set(server, await start())
  }
  const start = async (options: ServerOptions) => {
    const server = await ServerProcess.start(scope, options, [], undefined, true)
    await server.ask('keep')
    return server
  }
  const service = async (more: { redisUrl?: string; logLevel?: 'info' } = {}) => {
    const databaseUrl = await databases.create(employees)
    return start({ kind: 'service', databaseUrl, logLevel: 'warn', ...more })
  }

  await add('service', () => service())
  await add('service + access log', () => service({ logLevel: 'info' }))
  await add('bare Fastify', async () => {
    const { url } = servers.get('service') ?? (await service())
    const answers = []
    for (const path of RECORDED) answers.push(await record(url, path))
    return ServerProcess.start(scope, { kind: 'fastify', answers }, [], undefined, true)
  })
  await add('@fastify/caching', async () => {
    const databaseUrl = await databases.createPlain(employees)
    return start({ kind: 'fastify-caching', databaseUrl })
  })
  if (wanted.has('service + Redis') || wanted.has('BentoCache')) {
    const { url: redisUrl } = await RedisServer.start(scope)
    await add('service + Redis', () => service({ redisUrl }))
    await add('BentoCache', async () => {
      const databaseUrl = await databases.createPlain(employees)
      return start({ kind: 'bentocache', databaseUrl, redisUrl })
    })
  }
  await add('two workers', async () => startWorkers(scope, await databases.create(employees)))
  if (wanted.has('service + PostgreSQL') || wanted.has('PostgreSQL')) {
    // On the disk: what a commit costs is the question.
    const postgres = await PostgresServer.start(scope, { onDisk: true })
    const create = () => createPostgres(postgres, employees)
    const over = await start({ kind: 'service', databaseUrl: await create() })
    servers.set('service + PostgreSQL', over).set('PostgreSQL', serverBehind(over, postgres))
    await add('pool of 8', async () => {
      const options = { kind: 'pool', databaseUrl: await create() } as const
      return ServerProcess.start(scope, options, [], undefined, true)
    })
  }
  return servers
}

async function record(url: string, path: string): Promise<Recorded> {
  // The second answer is a hit.
  await answerOf(url, { path })
  const { headers, body } = await answerOf(url, { path })
  const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name))
  return { path, headers: Object.fromEntries(kept), body }
}
