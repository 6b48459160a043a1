import type { Worker } from 'node:cluster'

/**
 * Ends the connection that a worker was given and has not taken when it dies: node:cluster keeps its own
 * copy of it until it hears from the worker, so the client would wait for ever. It gives a worker one at
 * a time, and closing what was closed is nothing.
 */
export function closeUntaken(worker: Worker): void {
  const channel = worker.process as { send: (...args: unknown[]) => boolean }
  const { send } = channel
  let given: { close: () => void } | undefined
  channel.send = (message, handle, ...more) => {
    if (isHandle(handle)) given = handle
    return send.call(channel, message, handle, ...more)
  }
  worker.once('exit', () => given?.close())
}

/** Or a callback in its place. */
function isHandle(handle: unknown): handle is { close: () => void } {
  return typeof handle === 'object' && handle !== null && 'close' in handle
}
