import cluster, { type Worker } from 'node:cluster'

/** The workers that run now. Node lists a dead one until the channel to it is closed, too. */
export function liveWorkers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter(
    (worker) => worker !== undefined && !worker.isDead(),
  ) as Worker[]
}

/** Sends a message to a worker, which may have just died. */
export function tell(worker: Worker, message: object): void {
  // Without a callback that would be an uncaught error.
  worker.send(message, () => {})
}
