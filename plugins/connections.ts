import type { Socket } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { IdleConnections, LOOK_EVERY_MS } from '../src/http/idle-connections.js'

/** How long a client has to take the last answer of a connection that the service ends. */
const LINGER_MS = 1000
/** A flood of connections must not become one of lines. */
const LOG_INTERVAL_MS = 60_000

declare module 'fastify' {
  interface FastifyInstance {
    /** Those that are open. */
    connections: ReadonlySet<Socket>
    idleConnections: IdleConnections
    /** Lets a client have what is written, hears nothing more of it, and is rid of it in a second. */
    endConnection: (socket: Socket) => void
  }
}

/**
 * Bounds the connections, in all and for each address, so that clients never take the descriptors that
 * the process needs for files. Who is one too many is disconnected at once; others notice nothing. Who keeps
 * one without using it is disconnected in time.
 *
 * Not by `server.maxConnections`, which knows no addresses; and a worker that is full would give a
 * connection back to the primary, which offers it to the next, for as long as all are full.
 */
export default fp(
  async function connectionsPlugin(fastify) {
    const { maxConnections, maxConnectionsPerAddress } = fastify.config
    const open = new Set<Socket>()
    const ofAddress = new Map<string, number>()
    const ending = new WeakSet<Socket>()
    let refused = 0
    let saidAt = Number.NEGATIVE_INFINITY

    fastify.decorate('connections', open)
    fastify.decorate('endConnection', endConnection)
    fastify.server.keepAliveTimeout = 0 // looked for here; as an option of Fastify's it would mean the default
    const idle = new IdleConnections()
    fastify.decorate('idleConnections', idle)
    const looking = setInterval(() => idle.look(open), LOOK_EVERY_MS).unref()
    fastify.addHook('onClose', async () => clearInterval(looking))
    fastify.server.prependListener('connection', admit)
    // It was told why. Node would wait a minute for it to leave, or for ever if it goes on sending.
    fastify.server.on('clientError', (_error, socket) => endConnection(socket as Socket))
    // When the whole system has no descriptor left, say; not sooner, since listen() is to fail.
    fastify.addHook('onListen', async () => {
      fastify.server.on('error', (err) => fastify.log.error({ err }, 'cannot accept a connection'))
    })

    function admit(socket: Socket): void {
      const address = fastifyRateLimit.normalizeIP(socket.remoteAddress ?? '')
      const count = ofAddress.get(address) ?? 0
      if (open.size >= maxConnections || count >= maxConnectionsPerAddress) {
        socket.destroy()
        sayRefused(address)
        return
      }
      open.add(socket)
      ofAddress.set(address, count + 1)
      socket.once('close', () => {
        open.delete(socket)
        const left = (ofAddress.get(address) as number) - 1
        if (left > 0) ofAddress.set(address, left)
        else ofAddress.delete(address)
      })
    }

    function sayRefused(address: string): void {
      refused++
      if (performance.now() - saidAt < LOG_INTERVAL_MS) return
      saidAt = performance.now()
      const counts = { refused, open: open.size, maxConnections, maxConnectionsPerAddress }
      const line = { ...counts, 'client.ip': address }
      fastify.log.warn(line, 'too many connections: those beyond the limits are ended')
      refused = 0
    }

    function endConnection(socket: Socket): void {
      if (ending.has(socket) || socket.destroyed) return
      ending.add(socket)
      socket.end()
      dropInput(socket)
      setTimeout(() => socket.destroy(), LINGER_MS).unref()
    }
  },
  { name: 'connections' },
)

/**
 * From now on what the client sends is dropped, in front of the HTTP parser. It is read still: what
 * nobody has read when a connection is closed makes that a reset, and the client may lose its answer.
 */
function dropInput(socket: Socket): void {
  socket.removeAllListeners('data').on('data', () => {})
}
