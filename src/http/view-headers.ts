import { CACHE_CONTROL } from './cache-control.js'
import { type ContentCoding, codedEtag } from './content-coding.js'

/** The headers of an answer of a cached view that are its own, with the coding of its body, if any. */
export function viewHeaders(
  etag: string,
  cacheStatus: string,
  coding?: ContentCoding | undefined,
): Record<string, string> {
  return {
    ...notModifiedHeaders(coding ? codedEtag(etag, coding) : etag, cacheStatus),
    ...(coding && { 'content-encoding': coding }),
    'content-type': 'application/json; charset=utf-8',
  }
}

/** Those of a 304, which has no more (RFC 9110, section 15.4.5). */
export function notModifiedHeaders(etag: string, cacheStatus: string): Record<string, string> {
  return { etag, 'cache-status': cacheStatus, 'cache-control': CACHE_CONTROL }
}
