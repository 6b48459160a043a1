import { spawnSync } from 'node:child_process'

/** Which cores servers have to themselves, and which the load generator; undefined: they share all. */
export const cores = divide()

/** Of the results. */
export const coresText = cores
  ? `each server alone on core ${cores.server}, the load on ${cores.load}`
  : 'not pinned: servers and load share the cores'

/** The last core that this process may use is for the server that is asked, one at a time. */
function divide() {
  const { status, stdout } = spawnSync('taskset', ['-c', '-p', `${process.pid}`], {
    encoding: 'utf8',
  })
  if (status !== 0) return undefined
  const list = stdout.slice(stdout.lastIndexOf(':') + 1).trim()
  const all = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?]
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  if (all.length < 2) return undefined
  return { all: list, server: `${all.at(-1)}`, load: all.slice(0, -1).join(',') }
}

/** The command that runs a program on the core of the servers. */
export function alone(command: [string, ...string[]]): [string, ...string[]] {
  return cores ? ['taskset', '-c', cores.server, ...command] : command
}

/**
 * Keeps this process, which makes the load, off the core of the servers. What it starts meanwhile is kept
 * off, too: Redis, PostgreSQL and the service with two workers must have been started before.
 */
export async function apart<T>(measure: () => Promise<T>): Promise<T> {
  if (!cores) return measure()
  move(cores.load)
  try {
    return await measure()
  } finally {
    move(cores.all)
  }
}

/** All threads of this process. */
function move(to: string): void {
  spawnSync('taskset', ['-a', '-c', '-p', to, `${process.pid}`])
}
