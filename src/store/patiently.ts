import { setTimeout } from 'node:timers/promises'
import * as postgres from './postgres/errors.js'
import * as sqlite from './sqlite/errors.js'

/** How long to wait for somebody else's lock, which the service must not and a command may. */
const PATIENCE_MS = 60_000
const RETRY_MS = 50

/**
 * Does something as soon as nobody else holds the database: again and again, so that a signal is heard
 * in between.
 *
 * @param attempt which has done nothing when it fails by the lock
 * @returns whether it was done; false if there was an interrupt before
 */
export async function patiently(attempt: () => unknown, interrupt?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS
  while (!interrupt?.aborted) {
    try {
      await attempt()
      return true
    } catch (error) {
      const isBusy = isLocked(error) || isLocked((error as Error).cause)
      if (!isBusy || performance.now() > deadline) throw error
    }
    await setTimeout(RETRY_MS)
  }
  return false
}

function isLocked(error: unknown): boolean {
  return sqlite.isLocked(error) || postgres.isLocked(error)
}
