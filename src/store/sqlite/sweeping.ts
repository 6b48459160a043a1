import { setTimeout as delay } from 'node:timers/promises'
import { repeat } from '../repeat.js'
import type { GroupCommit } from './group-commit.js'
import type { IdempotencyKeys } from './idempotency-keys.js'

/** Between two transactions of one sweep: requests come first. */
const PAUSE_MS = 20

/**
 * Deletes old keys every now and then, until the function that it returns is called. It takes the
 * write lock only if there are any.
 */
export function keepSweeping(
  keys: IdempotencyKeys,
  commits: GroupCommit,
  everyMs: number,
): () => void {
  return repeat(everyMs, async (signal) => {
    while (keys.hasOld()) {
      await commits.run(() => keys.deleteOld())
      await delay(PAUSE_MS, undefined, { ref: false, signal })
    }
  })
}
