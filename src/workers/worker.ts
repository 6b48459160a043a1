import cluster, { type Worker } from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import type { BaseLogger } from 'pino'

/** What the primary sends to a worker that shall close. */
export const CLOSE = { close: true }

/** Left to the primary, see below. */
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

/**
 * Closes this worker when the primary says so, when the primary is gone, at a signal, or after an error;
 * but a second signal does not end it at once, as it ends a process that serves alone. Ctrl-C, and
 * systemd, signal every process of the group, so it is no sign of impatience: that is the primary's to
 * judge.
 */
export function closeWithPrimary(
  timeoutMs: number,
  log: Pick<BaseLogger, 'error'>,
  work: (reason: { err?: Error | undefined }) => Promise<void>,
): void {
  const worker = cluster.worker as Worker
  let closing = false
  const options = { delay: timeoutMs, logger: log, skip: [...SIGNALS] }
  const grace = closeWithGrace(options, async ({ err }) => {
    closing = true
    await work({ err })
  })
  process.on('message', (message: object) => {
    if ('close' in message) close()
  })
  for (const signal of SIGNALS) process.on(signal, close)
  worker.once('disconnect', () => {
    // Else Node ends the process on the spot, and requests under way with it.
    worker.exitedAfterDisconnect = true
    close()
  })

  function close(): void {
    if (!closing) grace.close()
  }
}
