import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import { closeGracefully } from '../graceful-close.js'
import { Backoff } from './backoff.js'
import { tellFigures } from './figures.js'
import { closeUntaken } from './hand-over.js'
import { Heartbeat, isPong, PING, PING_MS, SILENT_MS } from './heartbeat.js'
import { liveWorkers, tell } from './live-workers.js'
import { PrimaryMetrics } from './metrics.js'
import { keepProgram } from './program.js'
import { CLOSE } from './worker.js'

/**
 * Runs worker processes that share one port, and replaces one that dies, the later the more often it
 * does. One that hangs is killed, since it may hold clients for ever. A first worker that cannot even
 * start ends all of them: what is wrong will not get better by trying. A signal closes the workers, and
 * exits with 0 when all of them closed in order, else with 1.
 */
export function superviseWorkers(count: number, log: Logger, timeoutMs: number): void {
  const listening = new Set<Worker>()
  const heartbeat = new Heartbeat<Worker>()
  const metrics = new PrimaryMetrics(() => listening.size, log)
  tellFigures(() => listening.size, log)
  let closing = false
  let failure: string | undefined

  const { close } = closeGracefully({ timeoutMs, log, kill }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'closing the workers after an error')
    else log.info({ signal }, 'closing the workers')
    closing = true
    clearInterval(pings)
    // Not by a signal, which may have reached them already (see closeWithPrimary).
    for (const worker of listening) tell(worker, CLOSE)
    await Promise.all(liveWorkers().map((worker) => once(worker, 'exit')))
    if (failure) throw new Error(failure)
  })
  cluster.on('listening', (worker) => {
    listening.add(worker)
    heartbeat.expect(worker, performance.now())
    if (closing) tell(worker, CLOSE)
  })
  cluster.on('message', (worker, message) => {
    if (isPong(message)) heartbeat.hear(worker, performance.now())
  })
  cluster.setupPrimary({ exec: keepProgram() })
  for (let i = 0; i < count; i++) start(true)
  const pings = setInterval(ping, PING_MS)

  function start(isFirst: boolean, backoff = new Backoff()): void {
    const worker = cluster.fork()
    closeUntaken(worker)
    const born = performance.now()
    worker.once('exit', (code, signal) => {
      const line = { worker: worker.process.pid, code, signal }
      const started = listening.delete(worker)
      heartbeat.forget(worker)
      if (closing) {
        if (code === 0) return
        failure ??= 'a worker did not close in order'
        log.error(line, failure)
      } else if (isFirst && !started) {
        failure = 'a worker could not start'
        log.fatal(line, failure)
        close()
      } else {
        const delayMs = backoff.next(performance.now() - born)
        metrics.workerDied()
        log.error({ ...line, delayMs }, `a worker died; starting another in ${delayMs} ms`)
        setTimeout(() => closing || start(false, backoff), delayMs)
      }
    })
  }

  function ping(): void {
    for (const worker of heartbeat.silent(performance.now())) {
      const line = { worker: worker.process.pid }
      log.error(line, `a worker hangs: no answer for ${SILENT_MS / 1000} s, so it is killed`)
      heartbeat.forget(worker)
      worker.process.kill('SIGKILL')
    }
    for (const worker of listening) tell(worker, PING)
  }

  function kill(reason: string): void {
    log.error(`${reason}: killing the workers`)
    for (const worker of liveWorkers()) worker.process.kill('SIGKILL')
  }
}
