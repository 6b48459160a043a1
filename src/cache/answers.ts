import type { FastifyReply, FastifyRequest } from 'fastify'
import { noneMatch } from '../http/preconditions.js'
import type { Source } from '../metrics/service-metrics.js'
import type { Copy } from './near-copies.js'
import { viewEtag } from './versioned.js'

/** Salaries are private, and a client may keep a copy only if it asks before each use of it. */
export const CACHE_CONTROL = 'private, no-cache'

/** Where the rows of an answer came from; a 304 has none. */
export type RowSource = Exclude<Source, 'not_modified'>

/** Counts a view's answer and sets its headers. `ttl` in milliseconds, for a hit. */
export function announceView(
  reply: FastifyReply,
  view: string,
  version: string,
  source: RowSource,
  ttl = 0,
): void {
  reply.server.metrics.viewAnswered(view, source)
  reply.headers({
    'content-type': 'application/json; charset=utf-8',
    etag: viewEtag(version),
    'cache-status': cacheStatus(source, ttl),
  })
}

/** Sends the cached answer of a view. */
export function sendCopy(reply: FastifyReply, copy: Copy, source: RowSource): void {
  announceView(reply, copy.view, copy.version, source, copy.expires - performance.now())
  reply.send(copy.body)
}

/** Sends a 304 if the client has the view at this version already (RFC 9110, section 15.4.5). */
export function sendNotModified(
  request: FastifyRequest,
  reply: FastifyReply,
  view: string,
  version: string,
): boolean {
  const etag = viewEtag(version)
  if (noneMatch(request, etag)) return false
  reply.server.metrics.viewAnswered(view, 'not_modified')
  reply
    .code(304)
    .headers({
      etag,
      'cache-control': CACHE_CONTROL,
      'cache-status': 'employees; hit; detail=version',
    })
    .send()
  return true
}

/** In the words of RFC 9211. */
function cacheStatus(source: RowSource, ttl: number): string {
  switch (source) {
    case 'near':
    case 'redis':
      return `employees; hit; ttl=${Math.ceil(ttl / 1000)}; detail=${source}`
    case 'collapsed':
    case 'stored':
      return `employees; fwd=miss; ${source}`
    case 'passed':
      return 'employees; fwd=miss'
  }
}
