import { type ChildProcess, spawn } from 'node:child_process'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Outcome, outcome } from './outcome.js'
import type { Scope } from './scope.js'
import { temporaryDirectory } from './temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** A copy of the project that shares its packages. */
export class ProjectCopy {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  static async create(scope: Scope): Promise<ProjectCopy> {
    const directory = await temporaryDirectory(scope)
    const notMine = new Set(['node_modules', '.git', '.tap', 'data'])
    const passing = /^(?:sdk-|\.workers-)/
    await cp(ROOT, directory, {
      recursive: true,
      filter: (path) => !notMine.has(basename(path)) && !passing.test(basename(path)),
    })
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'junction')
    const copy = new ProjectCopy(directory)
    await copy.#keepBuilt()
    return copy
  }

  /** What was checked already names the packages from where it is; else the first build checks all anew. */
  async #keepBuilt(): Promise<void> {
    const path = 'dist/.tsbuildinfo'
    const built = await this.read(path)
    const packages = relative(dirname(join(this.directory, path)), ROOT)
      .split(sep)
      .join('/')
    await this.write(path, built.replaceAll('"../node_modules/', `"${packages}/node_modules/`))
  }

  read(path: string): Promise<string> {
    return readFile(join(this.directory, path), 'utf8')
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.directory, path), text)
  }

  /**
   * Runs a program of the copy with Node, as from a shell: with nothing of this test's runner but the
   * database that tests run on.
   */
  run(...program: string[]): Promise<Outcome> {
    const { TEST_DATABASE, TEST_POSTGRES_URL } = process.env
    // A test that is run by itself has half a minute otherwise.
    const env = { TEST_DATABASE, TEST_POSTGRES_URL, TAP_TIMEOUT: '300' }
    return outcome(this.start([process.execPath, ...program], env))
  }

  /** Starts a command in a process group of its own. */
  start([command, ...parameters]: [string, ...string[]], env: NodeJS.ProcessEnv): ChildProcess {
    const { PATH, HOME } = process.env
    return spawn(command, parameters, {
      cwd: this.directory,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  }

  /** @throws with all that the program says, if it fails */
  async succeed(...program: string[]): Promise<Outcome> {
    const result = await this.run(...program)
    if (result.code !== 0) throw new Error(`${program.join(' ')}\n${result.stdout}${result.stderr}`)
    return result
  }
}
