import { Cluster, Command, Redis, type RedisOptions } from 'ioredis'
import type { RedisTls } from './redis-tls.js'
import type { RedisTarget } from './redis-url.js'

/** No request waits longer for Redis than this. */
const COMMAND_TIMEOUT_MS = 100
/** A Sentinel that answers later than this is passed over; no request waits for one. */
const SENTINEL_TIMEOUT_MS = 1000
const MAX_RECONNECT_DELAY_MS = 2000

const PROBE_KEY = 'employees:probe'
/** How many keys are tried to find one of each master: enough for any that has a hundredth of the slots. */
const PROBE_KEYS = 1000
/** What ioredis says of commands that a connection has left behind, whatever ended it. */
const CLOSED = 'Connection is closed.'

/** The commands that are used here, which go the same way whatever is connected to. */
export type RedisCommands = Pick<Redis, 'getrangeBuffer' | 'pttl' | 'set' | 'eval' | 'unlink'>

/** A connection that is made anew for as long as it is not ended. */
export interface RedisConnection {
  readonly commands: RedisCommands
  /** Writes to every Redis that may be asked; resolves to their replies. */
  probe(): Promise<unknown[]>
  isConnected(): boolean
  /** Gives up the connection and makes a new one. */
  reconnect(): void
  /** Ends it for good. */
  disconnect(): void
}

/** What is told of a connection. */
export interface ConnectionEvents {
  /** There is one, by which commands can be sent. */
  onReady(): void
  /** There is none. */
  onAway(reason: string): void
  /** A part of it is gone: whether commands can be sent is to be found out. */
  onDoubt(): void
}

/**
 * Connects to one Redis, to the master that Sentinels name, or to a Cluster. No command is queued for
 * the time without a connection, and none is sent again after an error.
 */
export function connectRedis(
  target: RedisTarget,
  tls: RedisTls,
  events: ConnectionEvents,
): RedisConnection {
  return target.kind === 'cluster'
    ? connectCluster(target, tls, events)
    : connectOne(target, tls, events)
}

/** What is the same for every connection to where values are kept. */
export function connectionOptions({ username, password, isTls }: RedisTarget, tls: RedisTls) {
  return {
    ...(username && { username }),
    ...(password && { password }),
    // NODE_TLS_REJECT_UNAUTHORIZED must not turn off what a URL with rediss asks for.
    ...(isTls && { tls: { ...tls, rejectUnauthorized: true } }),
  } satisfies RedisOptions
}

function connectOne(
  target: RedisTarget,
  tls: RedisTls,
  { onReady, onAway }: ConnectionEvents,
): RedisConnection {
  const client = new Redis({
    ...connectionOptions(target, tls),
    ...(target.kind === 'sentinel' ? sentinelOptions(target, tls) : target.nodes[0]),
    ...OPTIONS,
    db: target.db,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
  })
  let reason = ''
  client.on('error', (error) => {
    reason = error.message
    // Of Sentinels that cannot be asked nothing else is heard: they are asked again.
    if (client.status === 'connecting') onAway(reason)
  })
  client.on('ready', () => {
    reason = ''
    onReady()
  })
  const close = () => onAway(reason || 'the connection was closed')
  client.on('close', close)
  return {
    commands: client,
    probe: async () => [await client.set(PROBE_KEY, '', 'PX', 1)],
    isConnected: () => client.status === 'ready',
    reconnect: () => client.disconnect(true),
    disconnect() {
      client.off('close', close)
      client.disconnect()
    },
  }
}

function connectCluster(
  target: RedisTarget,
  tls: RedisTls,
  { onReady, onAway, onDoubt }: ConnectionEvents,
): RedisConnection {
  const client = new Cluster(target.nodes, {
    redisOptions: { ...connectionOptions(target, tls), ...OPTIONS },
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectDelay,
    // Nothing is sent again but what a node has refused since another one has the slot.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // A certificate is for the name that the URL has, not for the address which that leads to.
    dnsLookup: (name, callback) => callback(null, name),
  })
  let reason = ''
  const hear = ({ message }: Error) => {
    if (message !== CLOSED) reason = message
  }
  client.on('error', () => {}) // it says no more than that every node was heard of
  client.on('node error', hear)
  client.on('+node', (node: Redis) => {
    // It is asked for the slots by a copy of it, and of that only the end is told, not the cause.
    const duplicate = node.duplicate.bind(node)
    node.duplicate = (override) => duplicate(override).on('error', hear)
    // Sent in front of a command that is asked elsewhere while a slot moves; nobody waits for its reply.
    const asking = node.asking.bind(node)
    node.asking = () => asking().catch(() => 'OK')
  })
  client.on('-node', onDoubt)
  client.on('ready', () => {
    reason = ''
    onReady()
  })
  const close = () => onAway(reason || 'no node of the cluster serves')
  client.on('close', close)
  return {
    commands: client,
    probe: () => Promise.all(probeKeys(client).map((key) => client.set(key, '', 'PX', 1))),
    isConnected: () => client.status === 'ready',
    reconnect: () => client.disconnect(true),
    disconnect() {
      client.off('close', close)
      client.disconnect()
    },
  }
}

const OPTIONS = {
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: MAX_RECONNECT_DELAY_MS,
} satisfies RedisOptions

function sentinelOptions(target: RedisTarget, tls: RedisTls) {
  const { sentinelUsername, sentinelPassword } = target
  const { tls: sentinelTLS } = connectionOptions(target, tls)
  return {
    sentinels: target.nodes,
    name: target.name,
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(sentinelTLS && { sentinelTLS, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelay,
  } satisfies RedisOptions
}

function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS)
}

/** A key in a slot of each master: while one of them cannot be written, a cluster counts as away. */
function probeKeys({ slots }: Cluster): string[] {
  const masters = new Set(slots.map(([master]) => master))
  const keys = new Map<string | undefined, string>()
  for (let n = 0; n < PROBE_KEYS && keys.size < masters.size; n++) {
    const key = `${PROBE_KEY}:${n}`
    const [master] = slots[new Command('set', [key]).getSlot()] ?? []
    if (!keys.has(master)) keys.set(master, key)
  }
  return keys.size > 0 ? [...keys.values()] : [PROBE_KEY]
}
