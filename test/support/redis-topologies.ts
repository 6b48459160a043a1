import { Cluster, type Redis } from 'ioredis'
import type { RedisTls } from '../../src/cache/redis-tls.js'
import { Authority, type CertificateFiles, readCertificates } from './certificates.js'
import { freePort } from './free-port.js'
import { RedisServer, redisClient } from './redis-server.js'
import type { Scope } from './scope.js'
import { until } from './until.js'

/** The master's name among Sentinels. */
export const MASTER = 'main'
const ADDRESS = '127.0.0.1'
const SENTINELS = 3
const NODES = 3
const DOWN_AFTER_MS = 500

/** Servers that one REDIS_URL leads to. */
export interface Topology {
  /** For REDIS_URL. */
  url: string
  tls: RedisTls
  /** The files that the certificates of `tls` are in. */
  files: CertificateFiles | undefined
  /** Those that keep values; of Sentinels the first is the master. */
  servers: [RedisServer, ...RedisServer[]]
  sentinels: RedisServer[]
}

type Start = (scope: Scope) => Promise<Topology>

/** Every way in which REDIS_URL may lead to a Redis. */
export const topologies: Record<string, Start> = {
  'redis://': (scope) => standalone(scope),
  'rediss://': async (scope) => standalone(scope, await certificates(scope)),
  'redis+sentinel://': (scope) => sentinel(scope),
  'rediss+sentinel://': async (scope) => sentinel(scope, await certificates(scope)),
  'redis+cluster://': (scope) => cluster(scope),
  'rediss+cluster://': async (scope) => cluster(scope, await certificates(scope)),
}

async function certificates(scope: Scope): Promise<CertificateFiles> {
  return (await Authority.create(scope)).issue()
}

async function standalone(scope: Scope, tls?: CertificateFiles): Promise<Topology> {
  const server = await RedisServer.startWith(scope, { tls })
  return topology('', tls, [server])
}

/** A master, its replica, and Sentinels that make the replica a master soon after that is gone. */
export async function sentinel(scope: Scope, tls?: CertificateFiles): Promise<Topology> {
  const master = await RedisServer.startWith(scope, {
    tls,
    options: ['--repl-diskless-sync-delay', '0'],
  })
  const options = ['--replicaof', '127.0.0.1', `${master.port}`]
  const replica = await RedisServer.startWith(scope, { tls, options })
  const replicaClient = clientOf(scope, replica, tls)
  await until(async () => /master_link_status:up/.test(await replicaClient.info('replication')))
  const configuration = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} ${SENTINELS - 1}`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER} ${4 * DOWN_AFTER_MS}`,
  ].join('\n')
  const sentinels: RedisServer[] = []
  for (let i = 0; i < SENTINELS; i++) {
    sentinels.push(await RedisServer.startWith(scope, { tls, sentinel: `${configuration}\n` }))
  }
  for (const server of sentinels) {
    const client = clientOf(scope, server, tls)
    await until(async () => {
      const [known] = (await client.call('SENTINEL', 'MASTERS')) as string[][]
      const fact = (name: string) => Number(known?.[known.indexOf(name) + 1])
      return fact('num-other-sentinels') === SENTINELS - 1 && fact('num-slaves') === 1
    })
  }
  return topology('+sentinel', tls, [master, replica], sentinels)
}

/**
 * Masters that share the slots.
 *
 * @param host by which they are asked, and which they tell of each other
 */
export async function cluster(
  scope: Scope,
  tls?: CertificateFiles,
  host = ADDRESS,
): Promise<Topology> {
  const servers: RedisServer[] = []
  for (let i = 0; i < NODES; i++) {
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-port': await freePort(),
      'cluster-node-timeout': 1000,
      ...(host !== ADDRESS && {
        'cluster-announce-hostname': host,
        'cluster-preferred-endpoint-type': 'hostname',
      }),
    }
    const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
    servers.push(await RedisServer.startWith(scope, { tls, options }))
    await join(scope, servers, settings['cluster-port'], tls)
  }
  for (const server of servers) {
    const client = clientOf(scope, server, tls)
    await until(async () => {
      const info = `${await client.cluster('INFO')}`
      return /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${NODES}`)
    })
  }
  return topology('+cluster', tls, servers as Topology['servers'], [], host)
}

/** The last of the servers meets the first, and takes its part of the slots. */
async function join(scope: Scope, servers: RedisServer[], bus: number, tls?: CertificateFiles) {
  const index = servers.length - 1
  const [first, last] = [servers[0], servers[index]] as [RedisServer, RedisServer]
  const part = (n: number) => Math.floor((16384 * n) / NODES)
  const client = clientOf(scope, last, tls)
  await client.call('CLUSTER', 'ADDSLOTSRANGE', part(index), part(index + 1) - 1)
  await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
  if (first !== last) {
    await clientOf(scope, first, tls).call('CLUSTER', 'MEET', '127.0.0.1', last.port, bus)
  }
}

function topology(
  kind: '' | '+sentinel' | '+cluster',
  files: CertificateFiles | undefined,
  servers: Topology['servers'],
  sentinels: RedisServer[] = [],
  host = ADDRESS,
): Topology {
  const asked = kind === '+sentinel' ? sentinels : servers
  const hosts = asked.map(({ port }) => `${host}:${port}`).join(',')
  const path = kind === '+sentinel' ? `/${MASTER}` : ''
  return {
    url: `redis${files ? 's' : ''}${kind}://${hosts}${path}`,
    tls: files ? readCertificates(files) : {},
    files,
    servers,
    sentinels,
  }
}

/** A client of one server, for the test's own looks. */
export function clientOf(scope: Scope, server: RedisServer, files?: CertificateFiles): Redis {
  const tls = files && { ...readCertificates(files), servername: 'localhost' }
  return redisClient(scope, server.url, tls)
}

/** A client of the whole. */
export function topologyClient(scope: Scope, { url, servers, files }: Topology): Redis | Cluster {
  if (!url.includes('+cluster')) return clientOf(scope, servers[0], files)
  const client = new Cluster(
    servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: files ? { tls: readCertificates(files) } : {} },
  )
  client.on('error', () => {})
  scope.teardown(() => client.disconnect())
  return client
}
