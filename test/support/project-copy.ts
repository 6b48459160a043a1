import { spawn } from 'node:child_process'
import { cp, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Outcome, outcome } from './outcome.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** A copy of the project that shares its packages. */
export class ProjectCopy {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async create(scope: Scope): Promise<ProjectCopy> {
    const directory = await temporaryDirectory(scope)
    const notMine = new Set(['node_modules', '.git', '.tap', 'data'])
    await cp(ROOT, directory, {
      recursive: true,
      filter: (path) => !notMine.has(basename(path)) && !basename(path).startsWith('sdk-'),
    })
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'junction')
    return new ProjectCopy(directory)
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.#directory, path), text)
  }

  /** Runs a program of the copy with Node, as from a shell: with nothing of this test's runner. */
  run(program: string): Promise<Outcome> {
    const { PATH, HOME } = process.env
    return outcome(
      spawn(process.execPath, [program], {
        cwd: this.#directory,
        // A test that is run by itself has half a minute otherwise.
        env: { PATH, HOME, TAP_TIMEOUT: '300' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  }

  /** @throws with all that the program says, if it fails */
  async succeed(program: string): Promise<Outcome> {
    const result = await this.run(program)
    if (result.code !== 0) throw new Error(`${program}\n${result.stdout}${result.stderr}`)
    return result
  }
}
