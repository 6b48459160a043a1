import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** What a process said, once it is gone. */
export async function outcome(child: ChildProcess): Promise<Outcome> {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ])
  return { code: code as number | null, stdout, stderr }
}
