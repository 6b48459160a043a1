import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

interface Process {
  pid: number
  parent: number
  /** As ps says it: T is stopped, Z has ended and waits for its parent to hear of it. */
  state: string
}

/** The processes that a process has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  return running().flatMap((process) => (process.parent === pid ? process.pid : []))
}

/** Whether none of these processes runs: each was stopped by SIGSTOP, or has ended. */
export function areStopped(pids: number[]): boolean {
  return running().every(({ pid, state }) => !pids.includes(pid) || state.startsWith('T'))
}

export function haveEnded(pids: number[]): boolean {
  return running().every(({ pid }) => !pids.includes(pid))
}

/** Sends a signal to those that are there. */
export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** Those that have not ended, of all users. */
function running(): Process[] {
  // Not every Linux has ps.
  const all = existsSync('/proc/self/stat') ? listedByKernel() : listedByPs()
  return all.filter(({ state }) => !state.startsWith('Z'))
}

function listedByKernel(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // What is in the brackets is the program's name, of any characters.
        const [, state, parent] = /.*\) (\S) (\d+)/s.exec(
          readFileSync(`/proc/${name}/stat`, 'utf8'),
        ) as unknown as [string, string, string]
        return { pid: Number(name), parent: Number(parent), state }
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
}

function listedByPs(): Process[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,state='], { encoding: 'utf8' })
  return Array.from(stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+(\S+)/gm), ([, pid, parent, state]) => ({
    pid: Number(pid),
    parent: Number(parent),
    state: state as string,
  }))
}
