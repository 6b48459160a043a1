import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

/** How many requests of a connection may wait for the answer in front of them, ... */
const MAX_PIPELINED = 64
/** ... of how many bytes, ... */
const MAX_BYTES = 80 * 1024
/** ... and of how many all that wait in this process may be. */
const MAX_BYTES_OF_ALL = 16 * 1024 * 1024
/** What a request takes beside the text of its head. */
const OWN_BYTES = 1024
/** How much is parsed at once: 14 of the smallest requests, of which a read of Node's has 3,640. */
const SLICE_BYTES = 256
/** And in one turn of the event loop, ... */
const TURN_BYTES = 4096
/** ... or of a body in chunks, which may be of a byte each, and each a callback. */
const TURN_BYTES_OF_CHUNKS = 512
/** How much Node reads at once, ... */
const READ_BYTES = 64 * 1024
/** ... and how many requests that wait, ... */
const MAX_PIPELINED_IN_READ = 16
/** ... or pieces of a body may be in that before nobody is trusted any more, ... */
const MAX_PIECES_IN_READ = 64
/** ... and for how long, in milliseconds. */
const WATCHFUL_MS = 60_000

/** What is known of a connection that is read bit by bit. */
interface Connection {
  /** What waits on it. */
  requests: number
  bytes: number
  /** It sent more than may wait, and is not heard any more. */
  isRefused: boolean
  /** A request that waits, whose body is next in the input. */
  held: IncomingMessage | undefined
  /** Its request has a body in chunks. */
  isChunked: boolean
  /** It was parsed in this turn; but who reads a body resumes its socket again and again. */
  isServed: boolean
}

/**
 * Begins the requests of a connection one at a time. Node parses whatever a client has sent and hands
 * over all of it at once, and keeps the answers until the one in front is sent; so one client could
 * hold the event loop, and open as many snapshots as it likes, with a few kilobytes. A request behind
 * another waits until its own answer can be sent, and then gives everybody else a turn.
 *
 * Who sends more than may wait gets the answers in front of that, and is disconnected; and at once, when
 * all who pipeline have too much: what waits is memory, for as long as a client takes to read. What comes
 * behind is not parsed, since Node would keep even that until it has looked at every connection: some
 * kilobytes for each 18 bytes that were sent. Nor is the body of a request that waits: it is read when
 * that is begun.
 *
 * For that a connection is read bit by bit, which costs more than to leave it to Node's parser. So that
 * reads it until it has a request that waits, or a body in chunks; and once a single read has brought too much of
 * them, no connection is left to it for a minute.
 */
export default fp(
  async function pipeliningPlugin(fastify) {
    const { server } = fastify
    const known = new WeakMap<Socket, Connection>()
    let bytesOfAll = 0
    /** The connection of which a bit is being parsed; none while Node reads. */
    let parsed: Connection | undefined
    let watchful: NodeJS.Timeout | undefined

    server.on('connection', (socket) => {
      if (watchful) readBitByBit(socket)
    })
    fastify.addHook('onClose', async () => clearTimeout(watchful))

    const [begin] = server.listeners('request') as [RequestListener]
    server.removeListener('request', begin).on('request', function beginInTurn(request, response) {
      const chunked = isChunked(request)
      if (parsed) parsed.isChunked = chunked
      if (chunked) expectChunks(request)
      if (response.socket) begin(request, response)
      else wait(request, response)
    })

    function expectChunks(request: IncomingMessage): void {
      if (parsed) return
      readBitByBit(request.socket).isChunked = true
      const { push } = request
      let pieces = 0
      request.push = function pushAndCount(piece, encoding) {
        if (!parsed && piece !== null && ++pieces > MAX_PIECES_IN_READ) beWatchful()
        return push.call(this, piece, encoding)
      }
    }

    function wait(request: IncomingMessage, response: ServerResponse): void {
      const { socket } = request
      const own = parsed ?? readBitByBit(socket)
      const bytes = bytesOf(request) + (parsed ? 0 : Math.min(bodyBytes(request), READ_BYTES))
      if (bytesOfAll + bytes > MAX_BYTES_OF_ALL) {
        beWatchful()
        socket.destroy()
        return
      }
      if (own.requests === MAX_PIPELINED || (parsed && own.bytes + bytes > MAX_BYTES)) {
        own.isRefused = true
        response.once('socket', fastify.endConnection)
        return
      }
      own.bytes += bytes
      bytesOfAll += bytes
      own.requests++
      if (!parsed && own.requests > MAX_PIPELINED_IN_READ) beWatchful()
      if (bodyBytes(request) > 0) own.held = request
      response.once('socket', () => {
        own.requests--
        own.bytes -= bytes
        bytesOfAll -= bytes
        setImmediate(() => {
          if (socket.destroyed) return
          if (own.held === request) {
            own.held = undefined
            socket.resume()
          }
          begin(request, response)
        })
      })
    }

    function beWatchful(): void {
      if (watchful) return
      watchful = setTimeout(() => {
        watchful = undefined
      }, WATCHFUL_MS).unref()
      for (const socket of fastify.connections) readBitByBit(socket)
    }

    /** From the next read on; what is being parsed is parsed to its end. */
    function readBitByBit(socket: Socket): Connection {
      const before = known.get(socket)
      if (before) return before
      const own: Connection = {
        requests: 0,
        bytes: 0,
        isRefused: false,
        held: undefined,
        isChunked: false,
        isServed: false,
      }
      known.set(socket, own)
      socket.once('close', () => {
        bytesOfAll -= own.bytes
        own.bytes = 0
      })
      const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[]
      if (!parse) return own
      // Node leaves the reading to its parser unless somebody listens.
      socket.removeListener('data', parse).on('data', (bytes: Buffer) => {
        let at = 0
        for (; at < bytes.length; at += SLICE_BYTES) {
          if (own.isRefused || socket.destroyed) return
          const most = own.isChunked ? TURN_BYTES_OF_CHUNKS : TURN_BYTES
          if (at >= most || own.isServed || own.held || socket.isPaused()) break
          parsed = own
          parse.call(
            socket,
            bytes.length > SLICE_BYTES ? bytes.subarray(at, at + SLICE_BYTES) : bytes,
          )
          parsed = undefined
        }
        if (at < bytes.length) putBack(socket, own, bytes.subarray(at))
      })
      // Its stream has waited for a read since before Node's parser took over, and would not begin another.
      socket.push(Buffer.alloc(0))
      return own
    }

    /** Until Node reads on, if it has paused; until the turn of who waits; or until the next turn. */
    function putBack(socket: Socket, own: Connection, rest: Buffer): void {
      const isNodes = socket.isPaused()
      // First, since what is put back into a stream that flows comes out at once.
      socket.pause().unshift(rest)
      if (isNodes || own.held || own.isServed) return
      own.isServed = true
      setImmediate(() => {
        own.isServed = false
        if (!own.held) socket.resume()
      })
    }
  },
  { name: 'pipelining', dependencies: ['connections'] },
)

function isChunked({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined
}

/** What its head says. */
function bodyBytes(request: IncomingMessage): number {
  if (isChunked(request)) return Number.POSITIVE_INFINITY
  return Number(request.headers['content-length'] ?? 0)
}

function bytesOf({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, OWN_BYTES + url.length)
}
