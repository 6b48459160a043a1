import type { FastifyBaseLogger } from 'fastify'
import { BoundedLog } from './bounded-log.js'

/** Lines of each kind in a second. */
export const LINES_PER_SECOND = 10

/** The statuses that tell a client that it may not ask, or not this often. */
export const REFUSALS: ReadonlySet<number> = new Set([401, 403, 421, 429])

/** The lines about what was refused. None repeats what was sent, which may be a key. */
export class RefusalLog extends BoundedLog {
  constructor(log: FastifyBaseLogger) {
    super(log, {
      perSecond: LINES_PER_SECOND,
      level: 'warn',
      says: 'refused',
      saysMore: 'more were refused in this second',
    })
  }
}
