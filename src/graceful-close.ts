import closeWithGrace from 'close-with-grace'
import type { BaseLogger } from 'pino'

/** Two of a kind within so long are one: npm passes on to us what the terminal has sent to us as well. */
const SAME_MS = 1000

interface Reason {
  err?: Error | undefined
  signal?: string | undefined
}

interface Options {
  timeoutMs: number
  log: Pick<BaseLogger, 'error'>
  /** Called in front of an end that is none of grace: at a second signal or error, and after the time. */
  kill: (reason: string) => void
}

/**
 * Closes at a signal, at an error and when it is told to: the process ends with 0, or with 1 after an
 * error, when it takes too long, and at a second signal, which whoever grows impatient sends.
 */
export function closeGracefully(
  { timeoutMs, log, kill }: Options,
  work: (reason: Reason) => Promise<void>,
): { close: () => void } {
  let begun: { at: number; signal?: string } | undefined
  const { close } = closeWithGrace(
    {
      delay: timeoutMs,
      logger: log,
      skip: ['SIGINT', 'SIGTERM'],
      onSecondSignal: (signal) => kill(`a second ${signal}`),
      onSecondError: () => kill('a second error'),
      onTimeout: () => kill(`not closed in ${timeoutMs / 1000} s`),
    },
    async ({ err, signal = begun?.signal }) => {
      begun ??= { at: Number.NEGATIVE_INFINITY }
      await work({ err, signal })
    },
  )
  process.on('SIGINT', hear).on('SIGTERM', hear)
  return { close: () => begun || close() }

  function hear(signal: string): void {
    const at = performance.now()
    if (begun === undefined) {
      begun = { at, signal }
      close()
    } else if (signal !== begun.signal || at - begun.at >= SAME_MS) {
      kill(`a second ${signal}`)
      process.exit(1)
    }
  }
}
