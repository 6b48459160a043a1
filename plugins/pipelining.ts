import type { IncomingMessage } from 'node:http'
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

/** What is known of a connection. */
interface Connection {
  /** What waits on it. */
  requests: number
  bytes: number
  /** It sent more than may wait, and is not heard any more. */
  isRefused: boolean
  /** In its input a body is next, of a request that waits. */
  isHeld: boolean
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
 */
export default fp(
  async function pipeliningPlugin(fastify) {
    const connections = new WeakMap<Socket, Connection>()
    let bytesOfAll = 0

    fastify.server.on('connection', function parseBitByBit(socket) {
      const own = connectionOf(socket)
      const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[]
      if (!parse) return
      // Node leaves the reading to its parser unless somebody listens.
      socket.removeListener('data', parse).on('data', (bytes: Buffer) => {
        let at = 0
        for (; at < bytes.length; at += SLICE_BYTES) {
          if (own.isRefused || socket.destroyed) return
          const most = own.isChunked ? TURN_BYTES_OF_CHUNKS : TURN_BYTES
          if (at >= most || own.isServed || own.isHeld || socket.isPaused()) break
          parse.call(
            socket,
            bytes.length > SLICE_BYTES ? bytes.subarray(at, at + SLICE_BYTES) : bytes,
          )
        }
        if (at < bytes.length) putBack(socket, own, bytes.subarray(at))
      })
      handOverAtOnce(socket)
    })

    fastify.addHook('onRequest', function waitForTurn({ raw: request }, { raw }, done) {
      const { socket } = request
      const own = connectionOf(socket)
      own.isChunked = isChunked(request)
      if (raw.socket) return done()
      const bytes = bytesOf(request)
      if (bytesOfAll + bytes > MAX_BYTES_OF_ALL) {
        socket.destroy()
        return
      }
      if (own.requests === MAX_PIPELINED || own.bytes + bytes > MAX_BYTES) {
        own.isRefused = true
        raw.once('socket', fastify.endConnection)
        return
      }
      own.bytes += bytes
      bytesOfAll += bytes
      own.requests++
      if (hasBody(request)) own.isHeld = true
      raw.once('socket', () => {
        own.requests--
        own.bytes -= bytes
        bytesOfAll -= bytes
        setImmediate(() => {
          if (socket.destroyed) return
          if (own.isHeld) {
            own.isHeld = false
            socket.resume()
          }
          done()
        })
      })
    })

    /** Until Node reads on, if it has paused; until the turn of who waits; or until the next turn. */
    function putBack(socket: Socket, own: Connection, rest: Buffer): void {
      const isNodes = socket.isPaused()
      // First, since what is put back into a stream that flows comes out at once.
      socket.pause().unshift(rest)
      if (isNodes || own.isHeld || own.isServed) return
      own.isServed = true
      setImmediate(() => {
        own.isServed = false
        if (!own.isHeld) socket.resume()
      })
    }

    function connectionOf(socket: Socket): Connection {
      const known = connections.get(socket)
      if (known) return known
      const own = {
        requests: 0,
        bytes: 0,
        isRefused: false,
        isHeld: false,
        isChunked: false,
        isServed: false,
      }
      connections.set(socket, own)
      socket.once('close', () => {
        bytesOfAll -= own.bytes
        own.bytes = 0
      })
      return own
    }
  },
  { name: 'pipelining', dependencies: ['connections'] },
)

/**
 * Gives a read of a socket, if it is short and nothing waits in front of it, to whoever listens at once: a
 * stream would also ask for more behind each, in a tick of its own, though more comes anyway. It is a third
 * of what the guard costs.
 * `push` is how a `net.Socket`, like every stream, is told of what was read
 * (https://nodejs.org/api/stream.html#readablepushchunk-encoding).
 */
function handOverAtOnce(socket: Socket): void {
  const { push } = socket
  socket.push = function pushOrHandOver(bytes: Buffer | null, encoding?: BufferEncoding) {
    const waits = this.readableFlowing !== true || this.readableLength > 0
    if (waits || bytes === null || bytes.length > SLICE_BYTES) {
      return push.call(this, bytes, encoding)
    }
    this.emit('data', bytes)
    // Never false: of what a stream was not told it would not begin to read again.
    return true
  }
}

function isChunked({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined
}

function hasBody(request: IncomingMessage): boolean {
  return isChunked(request) || Number(request.headers['content-length'] ?? 0) > 0
}

function bytesOf({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, OWN_BYTES + url.length)
}
