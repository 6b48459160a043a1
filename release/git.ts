import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * What Git says of the project.
 *
 * @throws what it complains of
 */
export function git(parameters: string[], input = ''): string {
  const options = { cwd: ROOT, encoding: 'utf8', input, maxBuffer: 64 * 1024 * 1024 } as const
  const { status, stdout, stderr, error } = spawnSync('git', parameters, options)
  if (status === 0) return stdout.trim()
  throw new Error(`git ${parameters[0]}: ${error?.message ?? stderr.trim()}`)
}

/** What Git says, or nothing where it has nothing to say. */
export function gitOr<T>(nothing: T, ...parameters: string[]): string | T {
  try {
    return git(parameters)
  } catch {
    return nothing
  }
}
