import createError from '@fastify/error'
import { DrizzleQueryError } from 'drizzle-orm'

/** Thrown when a database cannot be used; the message is one line that says which, and what to do. */
export class UnusableDatabase extends Error {
  override name = 'UnusableDatabase'
}

export const DatabaseUnavailable = createError(
  'DATABASE_UNAVAILABLE',
  'The database cannot do this now (%s); nothing was changed, try again in a moment',
  503,
)

export const TooManyWrites = createError(
  'TOO_MANY_WRITES',
  'Too many writes are waiting already; nothing was changed, try again in a moment',
  503,
)

export const ImportTooLong = createError(
  'IMPORT_TOO_LONG',
  'To create all of these at once takes the database longer than other writes wait (%d ms); nothing was changed, send fewer at once, or try again in a moment',
  503,
)

export const TooManySnapshots = createError(
  'TOO_MANY_SNAPSHOTS',
  'Too many long answers are being read already; try again in a moment',
  503,
)

export const KeyReused = createError(
  'IDEMPOTENCY_KEY_REUSED',
  'Idempotency-Key: a key stands for one request, and this one was sent with another body less than 24 hours ago; send a new key. Nothing was changed',
  422,
)

/** With `retryAfter`, in seconds. */
export const TooManyKeys = createError(
  'TOO_MANY_IDEMPOTENCY_KEYS',
  'Idempotency-Key: this client has used %s keys within 24 hours, which is all it may; Retry-After says when there is room for one more. Nothing was changed',
  429,
)

/** What Drizzle, or another library, puts around an error has no status, and shows the parameters of a query. */
export function unwrapped(error: unknown): unknown {
  const { statusCode, cause } = error as { statusCode?: number; cause?: { statusCode?: number } }
  const hidesStatus = statusCode === undefined && cause?.statusCode !== undefined
  return error instanceof DrizzleQueryError || hidesStatus ? cause : error
}
