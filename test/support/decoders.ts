import * as zlib from 'node:zlib'
import type { ContentCoding } from '../../src/http/content-coding.js'

/** What gives a body back that was sent in a coding. */
export const DECODERS: Record<ContentCoding, (body: Buffer) => Buffer> = {
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
  gzip: zlib.gunzipSync,
}
