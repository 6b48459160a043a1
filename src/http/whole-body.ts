import type { Readable } from 'node:stream'
import { errorCodes } from 'fastify'

/** What two pieces of a body are put into, at least. */
const LEAST_BYTES = 1024

interface Options {
  /** The most bytes that are read. */
  limit: number
  /** Those that were announced, if any. */
  announced: number | undefined
  /** Told of each piece: the bytes with it, and the piece; may throw. */
  onPiece: ((bytes: number, piece: Buffer) => void) | undefined
}

/**
 * Reads a body as a whole, as Fastify does for `parseAs: 'buffer'`, but into one buffer: a body may come in
 * pieces of a byte each, of which every one takes hundreds for as long as it is kept.
 *
 * @param done is given the bytes, or an error with status 413 or 400, or what `onPiece` throws
 */
export function readWhole(
  body: Readable,
  { limit, announced, onPiece }: Options,
  done: (error: Error | null, whole?: Buffer) => void,
): void {
  if (announced !== undefined && announced > limit) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    return
  }
  let whole: Buffer | undefined
  let bytes = 0

  function take(piece: Buffer): void {
    const before = bytes
    bytes += piece.length
    try {
      if (bytes > limit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
      onPiece?.(bytes, piece)
    } catch (error) {
      stop()
      done(error as Error)
      return
    }
    // Most bodies are one piece, which is as good as its copy.
    if (!whole) {
      whole = piece
      return
    }
    if (whole.length < bytes || before === whole.length) whole = larger(whole, before, bytes)
    piece.copy(whole, before)
  }

  function end(error?: Error): void {
    stop()
    if (error) done(Object.assign(error, { statusCode: statusOf(error) }))
    else if (announced !== undefined && announced !== bytes) {
      done(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH())
    } else done(null, whole?.subarray(0, bytes) ?? Buffer.alloc(0))
  }

  function stop(): void {
    body.off('data', take).off('end', end).off('error', end)
  }

  body.on('data', take).on('end', end).on('error', end).resume()
}

/** Twice as large at least, so that each byte is copied a few times at most. */
function larger(whole: Buffer, used: number, needed: number): Buffer {
  const copy = Buffer.allocUnsafe(Math.max(2 * used, needed, LEAST_BYTES))
  whole.copy(copy, 0, 0, used)
  return copy
}

/** A connection that broke off is the client's doing. */
function statusOf({ statusCode }: Error & { statusCode?: number }): number {
  return statusCode !== undefined && statusCode >= 400 ? statusCode : 400
}
