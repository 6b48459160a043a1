import type { FastifyReply } from 'fastify'
import symbols from 'fastify/lib/symbols.js'
import fp from 'fastify-plugin'
import type { View } from '../drizzle/define-view.js'
import { cacheStatusWith } from '../src/cache/cache-status.js'
import type { CacheEntry } from '../src/cache/l1-cache.js'
import type { Answer, Source } from '../src/cache/view-cache.js'
import type { ContentCoding } from '../src/http/content-coding.js'
import { idLine } from '../src/http/request-id.js'
import { linesOf, ServiceResponse } from '../src/http/service-response.js'
import { notModifiedHeaders, viewHeaders } from '../src/http/view-headers.js'

declare module 'fastify' {
  interface FastifyReply {
    /** Sends the answer of a cached view from a head that is ready, if it can be; false: it was not sent. */
    sendReady: (view: View, answer: Answer) => boolean
  }
}

/** The lines of the heads of a hit, by coding, which are the same for a second: Cache-Status counts those. */
interface Heads {
  seconds: number
  byCoding: Map<ContentCoding | undefined, string>
}

/**
 * Decorates `reply.sendReady`: answers from the copy in this process, whose head is ready but for the id of
 * the request. Such an answer goes past the hooks that make one (onSend), and does what they would; those
 * behind it (onResponse: the log, the metrics) run as ever.
 *
 * What is anything else is sent as Fastify sends it, and so is the answer to HEAD, and one on which a hook
 * has put a header: CORS, a limit, the end of the connection; and whatever Server-Timing is told of. And that to HTTP/1.0, to which Node would say
 * no Content-Length: who asks could not tell a whole body from one that was cut off, nor ask again there.
 */
export default fp(
  async function readyAnswersPlugin(fastify) {
    const { config, slowReaders, viewCache } = fastify
    const isTimed = config.serverTiming
    const cacheStatus = cacheStatusWith(config.viewMaxStalenessMs)
    const vary = config.compression ? linesOf({ vary: 'accept-encoding' }) : ''
    const heads = new WeakMap<CacheEntry, Heads>()

    fastify.decorateRequest('cacheSource', undefined)
    fastify.decorateReply('sendReady', function (view, answer) {
      const { raw, request } = this
      const { source, etag, entry, body } = answer
      if (!(raw instanceof ServiceResponse) || request.method === 'HEAD' || hasHeaders(this))
        return false
      if (isTimed || request.raw.httpVersionMinor === 0) return false
      const id = idLine(request.id)
      if (source === 'not_modified') {
        noteSource(this, view, source)
        this.hijack()
        const own = linesOf(notModifiedHeaders(etag, cacheStatus(answer)))
        raw.endReady(304, id + vary + own)
        return true
      }
      if (source !== 'near' || !entry || !Buffer.isBuffer(body)) return false
      noteSource(this, view, source)
      this.hijack()
      const liked = this.likedCoding()
      const encoded = liked && viewCache.encoded(view, answer, liked)
      const sent = encoded ?? body
      slowReaders.sends(request.raw.socket, sent)
      raw.endReady(200, id + headOf(entry, answer, encoded && liked), sent)
      return true
    })

    function headOf(entry: CacheEntry, answer: Answer, coding: ContentCoding | undefined): string {
      const seconds = Math.ceil(answer.ttl / 1000)
      let ready = heads.get(entry)
      if (ready?.seconds !== seconds) {
        ready = { seconds, byCoding: new Map() }
        heads.set(entry, ready)
      }
      let head = ready.byCoding.get(coding)
      if (head === undefined) {
        head = vary + linesOf(viewHeaders(answer.etag, cacheStatus(answer), coding))
        ready.byCoding.set(coding, head)
      }
      return head
    }
  },
  { name: 'ready-answers', dependencies: ['compression', 'metrics', 'slow-readers', 'view-cache'] },
)

/** Counts the answer of a view, and leaves its source for the log. */
export function noteSource({ request, server }: FastifyReply, view: View, source: Source): void {
  server.metrics.viewAnswered(view.name, source)
  request.cacheSource = source
}

/** As `reply.getHeaders()` would tell, which copies both twice, and costs a fiftieth of such an answer. */
function hasHeaders(reply: FastifyReply & { [symbols.kReplyHeaders]?: object }): boolean {
  for (const _ in reply[symbols.kReplyHeaders]) return true
  return reply.raw.getHeaderNames().length > 0
}
