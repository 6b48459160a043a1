import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

/** How a body is compressed (RFC 9110, section 8.4.1; zstd: RFC 8878). */
export type ContentCoding = 'br' | 'zstd' | 'gzip'

/**
 * Bodies between these sizes, which are compressed when they have rested for a while, are compressed as well
 * as can be: that takes up to a quarter of a second of a thread, and a fifth less is sent. Below, it is done
 * at once for whoever asks first; above, it would take too long.
 */
const WELL = { above: 64 * 1024, upTo: 256 * 1024 }

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_MAX_QUALITY, ZSTD_c_compressionLevel } =
  zlib.constants

interface Encoder {
  /** Of a whole body that many will be sent: on a thread of its own. */
  encode(body: Buffer): Promise<Buffer>
  /** Of a body that is sent as it is made: quick before small. */
  stream(): zlib.BrotliCompress | zlib.Gzip | zlib.ZstdCompress
  /** What tells its entity tags from those of other representations. */
  suffix: string
}

const [brotli, zstd, gzip] = [zlib.brotliCompress, zlib.zstdCompress, zlib.gzip].map(promisify) as [
  (body: Buffer, options: zlib.BrotliOptions) => Promise<Buffer>,
  (body: Buffer, options: zlib.ZstdOptions) => Promise<Buffer>,
  (body: Buffer, options: zlib.ZlibOptions) => Promise<Buffer>,
]

export const ENCODERS: Record<ContentCoding, Encoder> = {
  br: {
    encode: (body) =>
      brotli(body, { params: { [BROTLI_PARAM_QUALITY]: isWell(body) ? BROTLI_MAX_QUALITY : 5 } }),
    stream: () =>
      zlib.createBrotliCompress({
        params: { [BROTLI_PARAM_QUALITY]: 4, [BROTLI_PARAM_LGWIN]: 18 },
      }),
    suffix: 'br',
  },
  zstd: {
    encode: (body) => zstd(body, { params: { [ZSTD_c_compressionLevel]: isWell(body) ? 19 : 6 } }),
    stream: () => zlib.createZstdCompress({ params: { [ZSTD_c_compressionLevel]: 1 } }),
    suffix: 'zst',
  },
  gzip: {
    encode: (body) => gzip(body, { level: isWell(body) ? 9 : 6 }),
    stream: () => zlib.createGzip({ level: 1 }),
    suffix: 'gz',
  },
}

function isWell({ length }: Buffer): boolean {
  return length > WELL.above && length <= WELL.upTo
}

/** In the order in which they are taken where a client likes several as much. */
const CODINGS = Object.keys(ENCODERS) as ContentCoding[]

/** What was found out of each value of the header. Bounded: clients choose what they write there. */
const known = new LRUCache<string, ContentCoding | 'identity'>({ max: 100 })

/** The coding that a client likes best (RFC 9110, section 12.5.3); undefined: none. */
export function codingFor(acceptEncoding: string | undefined): ContentCoding | undefined {
  if (acceptEncoding === undefined) return undefined
  let coding = known.get(acceptEncoding)
  if (coding === undefined) {
    const negotiator = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } })
    const [best = 'identity'] = negotiator.encodings([...CODINGS, 'identity'], {
      preferred: CODINGS,
    })
    coding = best as ContentCoding | 'identity'
    known.set(acceptEncoding, coding)
  }
  return coding === 'identity' ? undefined : coding
}

/** The strong entity tag of a coded representation, by that of the identity (RFC 9110, section 8.8.3.3). */
export function codedEtag(etag: string, coding: ContentCoding): string {
  return `${etag.slice(0, -1)}-${ENCODERS[coding].suffix}"`
}

/** The entity tag of the identity, by that of whatever representation. */
export function identityEtag(etag: string): string {
  return etag.replace(/-(?:br|zst|gz)"$/, '"')
}
