import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { type Outcome, outcome } from './outcome.js'
import { SERVER } from './service.js'
import { temporaryDirectory } from './temporary-directory.js'

/** A start that fails, and what it says. */
export interface FailedStart {
  what: string
  code: 1 | 2
  says: string | RegExp
  env: (t: Test, directory: string) => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>
}

/**
 * Tests that each, with workers and without, says what is wrong in one line, which begins so; and makes
 * nothing in the folder where it runs.
 */
export function testFailedStarts(cases: FailedStart[]): void {
  for (const WEB_CONCURRENCY of ['1', '2']) {
    for (const { what, code, says, env } of cases) {
      t.test(`${what} is one line, with exit code ${code} (of ${WEB_CONCURRENCY})`, async (t) => {
        const directory = await temporaryDirectory(t)
        const variables = { PORT: '0', WEB_CONCURRENCY, ...(await env(t, directory)) }
        const before = await filesOf(directory)
        const ended = await start(t, directory, variables)
        isOneLine(t, ended, code, says)
        t.strictSame(await filesOf(directory), before)
      })
    }
  }
}

/** Whether it began to serve instead of failing. */
export const hasServed = ({ stdout }: Outcome) => SERVING.test(stdout)
const SERVING = /"Server listening at/

/** Runs the service to an end that it comes to by itself; if it begins to serve, it is ended. */
export function start(t: Test, cwd: string, env: NodeJS.ProcessEnv, ...parameters: string[]) {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [SERVER, ...parameters], { cwd, env, stdio: [...stdio] })
  t.teardown(() => child.kill('SIGKILL'))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (SERVING.test(line)) child.kill('SIGKILL')
  })
  return outcome(child)
}

export function isOneLine(
  t: Test,
  { code, stdout, stderr }: Outcome,
  expected: number,
  says: string | RegExp,
): void {
  t.equal(code, expected)
  t.equal(
    stdout
      .split('\n')
      .filter((line) => !/No keys are configured|this server is the primary/.test(line))
      .join(''),
    '',
  )
  const [line = '', ...rest] = stderr.split('\n')
  t.strictSame(rest, [''], 'one line')
  if (typeof says === 'string') t.ok(line.startsWith(says), line)
  else t.match(line, says)
}

/** What is in a directory, but not what a database has beside it while it is open. */
export async function filesOf(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => !/-(?:wal|shm)$/.test(name)).sort()
}
