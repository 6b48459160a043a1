import { Redis } from 'ioredis'

/** No request waits longer for Redis than this. */
const COMMAND_TIMEOUT_MS = 100
const MAX_RECONNECT_DELAY_MS = 2000

/**
 * A Redis client that is a guest in the service: it never holds up a start or a request. A command
 * fails at once while there is no connection and after 100 ms when there is one that does not answer;
 * the connection is made again for as long as it takes.
 */
export class GuestRedis extends Redis {
  constructor(url: string) {
    super(url, {
      enableOfflineQueue: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: MAX_RECONNECT_DELAY_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    })
  }
}
