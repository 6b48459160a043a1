import { cpSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where this program was compiled to, in the project's root. */
const HERE = fileURLToPath(new URL('../../', import.meta.url))
const ROOT = dirname(HERE)
/** What the service consists of there. */
const FOLDERS = ['src', 'plugins', 'routes', 'drizzle']
/** A process is known by its number on its machine, or in its container, alone. */
const PREFIX = `.workers-${hostname()}-`

/**
 * Keeps the program that runs for workers that start later: a build changes it under the primary, and
 * a new worker would find half of the old one and half of the new, or not know what the primary says.
 *
 * The copy lies beside what it was copied from, so that it finds the same packages and files, and is
 * removed with the process. Where nothing can be written, nobody builds either.
 *
 * @returns the file to start a worker with
 */
export function keepProgram(): string {
  const program = join('src', 'server.js')
  const copy = join(ROOT, `${PREFIX}${process.pid}`)
  try {
    removeLeftovers()
    for (const folder of FOLDERS) {
      cpSync(join(HERE, folder), join(copy, folder), { recursive: true })
    }
  } catch {
    rmSync(copy, { recursive: true, force: true })
    return join(HERE, program)
  }
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
  return join(copy, program)
}

/** Of those that were killed. */
function removeLeftovers(): void {
  for (const name of readdirSync(ROOT)) {
    if (!name.startsWith(PREFIX) || isAlive(Number(name.slice(PREFIX.length)))) continue
    rmSync(join(ROOT, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  // A number that was given again, to us.
  if (pid === process.pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
