import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

const RESTART_DELAY_MS = 1000

/**
 * Runs worker processes that share one port, and replaces one that dies. A worker that cannot even
 * start ends all of them: what is wrong will not get better by trying. Exits with 0 when a signal
 * ended it and every worker closed in order, else with 1.
 */
export function superviseWorkers(count: number, log: Logger): void {
  let closing = false
  let exitCode = 0

  cluster.on('exit', async (worker, code, signal) => {
    if (code !== 0) exitCode = closing || !hasListened(worker) ? 1 : exitCode
    if (!closing && !hasListened(worker)) close()
    if (closing) {
      if (workers().length === 0) process.exit(exitCode)
      return
    }
    log.error({ worker: worker.process.pid, code, signal }, 'a worker died; starting another')
    await sleep(RESTART_DELAY_MS)
    if (!closing) cluster.fork()
  })
  cluster.on('listening', (worker) => listened.add(worker.id))
  process.on('SIGTERM', close)
  process.on('SIGINT', close)
  for (let i = 0; i < count; i++) cluster.fork()

  function close() {
    closing = true
    for (const worker of workers()) worker.process.kill('SIGTERM')
    if (workers().length === 0) process.exit(exitCode)
  }
}

const listened = new Set<number>()
const hasListened = (worker: Worker) => listened.has(worker.id)
const workers = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
