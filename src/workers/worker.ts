import cluster, { type Worker } from 'node:cluster'

/** What the primary sends to a worker that shall close. */
export const CLOSE = { close: true }

/** Left to the primary, see below. */
export const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

/**
 * Closes this worker when the primary says so, when the primary is gone, or at a signal; but a second
 * signal does not end it at once, as it ends a process that serves alone. Ctrl-C, and systemd, signal
 * every process of the group, so it is no sign of impatience: that is the primary's to judge.
 *
 * @param close may be called more than once
 */
export function closeWithPrimary(close: () => unknown): void {
  const worker = cluster.worker as Worker
  process.on('message', (message: object) => {
    if ('close' in message) close()
  })
  for (const signal of SIGNALS) process.on(signal, close)
  worker.once('disconnect', () => {
    // Else Node ends the process on the spot, and requests under way with it.
    worker.exitedAfterDisconnect = true
    close()
  })
}
