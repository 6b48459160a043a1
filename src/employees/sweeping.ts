import { setTimeout as delay } from 'node:timers/promises'
import type { GroupCommit } from '../database/group-commit.js'
import type { IdempotencyKeys } from './idempotency-keys.js'

/** Between two transactions of one sweep: requests come first. */
const PAUSE_MS = 20

/**
 * Deletes old keys every now and then, until the function that it returns is called. It takes the
 * write lock only if there are any, and keeps no process alive. A sweep that fails is left to the next.
 */
export function keepSweeping(
  keys: IdempotencyKeys,
  commits: GroupCommit,
  everyMs: number,
): () => void {
  const stopped = new AbortController()
  const options = { ref: false, signal: stopped.signal }

  async function sweep() {
    try {
      while (keys.hasOld()) {
        await commits.run(() => keys.deleteOld())
        await delay(PAUSE_MS, undefined, options)
      }
    } catch {
      // Closing, or what only the moment forbids.
    }
  }

  async function repeat() {
    for (;;) {
      await delay(everyMs, undefined, options)
      await sweep()
    }
  }

  repeat().catch(() => {})
  return () => stopped.abort()
}
