import { readFileSync } from 'node:fs'
import type { PostgresServer } from '../../test/support/postgres-server.js'
import { childrenOf } from '../../test/support/processes.js'
import type { Target } from './process.js'

/** What the server of a database does for requests to a service over it. */
export function serverBehind({ url }: Target, server: PostgresServer): Target {
  return {
    url,
    async cpu() {
      return [server.pid, ...childrenOf(server.pid)].map(runTime).reduce((sum, ms) => sum + ms)
    },
  }
}

/** CPU time of a process so far, in microseconds: by the kernel's scheduler, which counts nanoseconds. */
export function runTime(pid: number): number {
  try {
    const [ns] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')
    return Number(ns) / 1000
  } catch {
    // It has ended, or there is no such file: not on Linux.
    return 0
  }
}
