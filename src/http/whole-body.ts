import type { Readable } from 'node:stream'
import { errorCodes } from 'fastify'
import { GrowingBuffer } from './growing-buffer.js'

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
  const whole = new GrowingBuffer()

  function take(piece: Buffer): void {
    const bytes = whole.length + piece.length
    try {
      if (bytes > limit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
      onPiece?.(bytes, piece)
    } catch (error) {
      stop()
      done(error as Error)
      return
    }
    whole.add(piece)
  }

  function end(error?: Error): void {
    stop()
    if (error) done(Object.assign(error, { statusCode: statusOf(error) }))
    else if (announced !== undefined && announced !== whole.length) {
      done(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH())
    } else done(null, whole.take())
  }

  function stop(): void {
    body.off('data', take).off('end', end).off('error', end)
  }

  body.on('data', take).on('end', end).on('error', end).resume()
}

/** A connection that broke off is the client's doing. */
function statusOf({ statusCode }: Error & { statusCode?: number }): number {
  return statusCode !== undefined && statusCode >= 400 ? statusCode : 400
}
