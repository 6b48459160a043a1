import createError from '@fastify/error'
import { DatabaseError } from 'pg'
import { DatabaseUnavailable } from '../errors.js'

/** A commit that nobody can tell the outcome of: the connection was lost in it, or the standby did not confirm it. */
export const OutcomeUnknown = createError(
  'OUTCOME_UNKNOWN',
  'The database was lost while it kept this (%s): it was done, or it was not. What was sent with an Idempotency-Key can be sent again with it; look before you send anything else again',
  503,
)

/** The connection, or what it led to, is gone. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost'
}

/** A server that takes no writes now; the message says why. */
export class NotPrimary extends Error {
  override name = 'NotPrimary'
}

/**
 * What only the moment forbids, by SQLSTATE: connections (08), resources (53), operators (57), the system
 * (58), a lock that was not given up (55P03), conflicts between transactions (40), and a server that takes
 * no writes (25006); as of a disk that is full, ids that are used up (2200H); and a statement that could
 * not be prepared in front of this one, for any of these (26000).
 */
const MOMENTARY = /^(?:08|53|57|58|40)|^(?:55P03|25006|2200H|26000)$/

/** A server that ends or has become a standby. */
const LEAVING = /^(?:57P0[1-3]|25006)$/

/** An error of the database as the service tells it: 503 if it may go away by itself. */
export function asDatabaseError(error: unknown): unknown {
  const code = momentaryCode(error)
  return code === undefined
    ? error
    : Object.assign(new DatabaseUnavailable(code), { cause: error as Error })
}

/** Whether a server says that it will not do what a primary does, or a connection is of no use any more. */
export function isLeaving(error: unknown): boolean {
  return error instanceof DatabaseError && (LEAVING.test(error.code ?? '') || isOutdated(error))
}

/** What is prepared on a connection does not fit a table that somebody has changed. */
function isOutdated({ code, message }: DatabaseError): boolean {
  return code === '0A000' && message.startsWith('cached plan')
}

/** Whether somebody else has not given up a lock in time. */
export function isLocked(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '55P03'
}

function momentaryCode(error: unknown): string | undefined {
  if (error instanceof ConnectionLost) return error.message
  if (!(error instanceof DatabaseError)) return undefined
  return MOMENTARY.test(error.code ?? '') || isOutdated(error) ? error.code : undefined
}
