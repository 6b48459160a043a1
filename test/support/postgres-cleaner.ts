import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'

/**
 * Its input ends when this process does. What it was told last are the processes to end then: the
 * postmaster, and after it what was frozen. An immediate shutdown leaves no shared memory behind; it is
 * waited for by its file, as in many containers nobody takes note that an orphan has ended.
 */
const SCRIPT = `
while read -r line; do processes=$line; done
postmaster=\${processes%% *}
kill -CONT $processes
kill -QUIT $postmaster
tries=100
while [ -e "$1/data/postmaster.pid" ] && kill -0 $postmaster && [ $((tries -= 1)) -gt 0 ]; do
  sleep 0.1
done
# It may be that an initdb still fills it.
until rm -rf "$1"; do sleep 0.1; done`

/** Ends a server and removes its directory when this process has ended, in whatever way. */
export class PostgresCleaner {
  readonly #process: ChildProcess

  constructor(directory: string) {
    // In a session of its own, so that Ctrl-C does not end it before its work.
    this.#process = spawn('sh', ['-c', SCRIPT, 'sh', directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#process.unref()
    const input = this.#process.stdin as Socket
    input.unref()
    input.on('error', () => {})
  }

  /** @param pids of the postmaster first; none if there is nothing to end */
  set processes(pids: number[]) {
    this.#process.stdin?.write(`${pids.join(' ')}\n`)
  }

  /** Does now what it is for. */
  async clean(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.ref()
    this.#process.stdin?.end()
    await once(this.#process, 'exit')
  }
}
