import { Command } from 'ioredis'
import type { Scope } from './scope.js'

const { setTimeout } = Command.prototype

/**
 * From now on, and until the test ends, a command to Redis waits for its reply as long as that takes:
 * the 100 ms of the service are soon over on a slow machine, and most tests are not about them.
 */
export function waitForReplies(scope: Scope): void {
  Command.prototype.setTimeout = () => {}
  scope.teardown(timeOutCommands)
}

/** From now on a command times out as in production: for a test whose Redis does not answer. */
export function timeOutCommands(): void {
  Command.prototype.setTimeout = setTimeout
}
