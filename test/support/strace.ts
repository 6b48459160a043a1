import { spawnSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { until } from './until.js'

/**
 * The system calls that say what is in files, what of it is durable, and what clients were told: all
 * that SQLite writes with, and all that libuv sends with. A name with ? is not there on every processor.
 */
const CALLS = [
  'pwrite64,write,writev,sendto,sendmsg,ftruncate',
  'fsync,fdatasync',
  'openat,?unlink,unlinkat',
].join(',')

/** The program that a command of its own is put behind; its parent still has that command as its child. */
const STRACE = ['strace', '-D', '-f', '--seccomp-bpf'] as const

export const STRACE_NEEDED =
  'Power cuts need strace on Linux, and leave to trace: "sudo apt-get install strace", or --power-cuts 0'

/** Why a process cannot be traced here, or undefined if it can. */
export function whyNoTrace(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has strace'
  const [program, ...options] = STRACE
  const tried = spawnSync(program, [...options, '-o', '/dev/null', 'true'], { encoding: 'utf8' })
  if (tried.error) return 'strace is not there'
  return tried.status === 0 ? undefined : `strace may not trace: ${tried.stderr.trim()}`
}

/** Puts a command behind strace, which writes into a file what syscall-trace.ts reads. */
export function traced(file: string, command: string[]): [string, ...string[]] {
  return [...STRACE, '-y', '-xx', '-s', '65536', '-e', `trace=${CALLS}`, '-o', file, ...command]
}

/** Resolves when the trace of a process that has ended is complete. */
export async function traceEnd(file: string, pid: number): Promise<void> {
  const handle = await open(file)
  const tail = Buffer.alloc(1000)
  try {
    await until(async () => {
      const { size } = await handle.stat()
      const { bytesRead } = await handle.read(tail, 0, tail.length, Math.max(0, size - tail.length))
      return new RegExp(`^${pid} +\\+\\+\\+ `, 'm').test(tail.toString('latin1', 0, bytesRead))
    })
  } finally {
    await handle.close()
  }
}
