import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outcome } from '../support/outcome.js'
import type { Scope } from '../support/scope.js'

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url))

/** The committed contract. */
export const OPENAPI = path('openapi.json')
const HOME = path('test/sdk')
const MODULES = join(HOME, 'node_modules')
const TSC = path('node_modules/typescript/bin/tsc')

/** As strict as a client's own project may be: @tsconfig/strictest, and what came after it. */
const COMPILER_OPTIONS = {
  target: 'ES2023',
  module: 'NodeNext',
  types: ['node'],
  strict: true,
  allowUnreachableCode: false,
  allowUnusedLabels: false,
  exactOptionalPropertyTypes: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  noUncheckedSideEffectImports: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
}

/**
 * Installs the generators, unless they are there: they have a package of their own, which is larger
 * than that of the service.
 */
export async function install(): Promise<void> {
  const lock = join(HOME, 'package-lock.json')
  const installed = join(MODULES, '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  await succeed('npm', ['ci'], HOME)
}

/** A project with the scenarios and the clients that they use, not yet compiled. */
export class ClientProject {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /**
   * In dist/, so that the packages of the service, Node's types among them, are found.
   *
   * @param laxer options of the compiler that a generator's code does not stand
   */
  static async create(scope: Scope, laxer: object = {}): Promise<ClientProject> {
    const directory = await mkdtemp(path('dist/sdk-'))
    scope.teardown(() => rm(directory, { recursive: true, force: true }))
    await symlink(MODULES, join(directory, 'node_modules'), 'junction')
    const project = new ClientProject(directory)
    await project.write('package.json', '{ "type": "module" }')
    const compilerOptions = { ...COMPILER_OPTIONS, ...laxer }
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions }))
    return project
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(join(this.directory, name, '..'), { recursive: true })
    await writeFile(join(this.directory, name), text)
  }

  /** Copies a file of this folder. */
  async copy(name: string): Promise<void> {
    await cp(join(HOME, name), join(this.directory, name), { recursive: true })
  }

  /** Runs a generator's program. */
  async generate(program: string, ...parameters: string[]): Promise<void> {
    await succeed(join(MODULES, '.bin', program), parameters, this.directory)
  }

  /**
   * Runs a command `npx [-p NAME@VERSION] PROGRAM …` with what is installed.
   *
   * @throws if that is of another version
   */
  async npx(command: string): Promise<void> {
    const [, ...words] = command.split(' ')
    for (const word of words) {
      const [, name = '', version] = /^(.+)@(\d[\d.]*)$/.exec(word) ?? []
      if (version === undefined) continue
      const home = [MODULES, path('node_modules')].find((home) => existsSync(join(home, name)))
      const installed = JSON.parse(await readFile(join(home ?? '', name, 'package.json'), 'utf8'))
      if (!`${installed.version}.`.startsWith(`${version}.`))
        throw new Error(`${word}: the tests use ${installed.version}`)
    }
    const [program = '', ...parameters] = words.filter(
      (word, i) => word !== '-p' && words[i - 1] !== '-p',
    )
    await this.generate(program.replace(/@[^@]*$/, ''), ...parameters)
  }

  /** Compiles all of it; resolves with the compiler's complaints. */
  async compile(): Promise<string> {
    const { stdout } = await outcome(start(process.execPath, [TSC, '-p', '.'], this.directory))
    return stdout
  }

  /** Runs a compiled program against a service, perhaps with a key; resolves with what it says. */
  async run(name: string, url: string, key = ''): Promise<string> {
    const env = { SERVICE_URL: url, API_KEY: key }
    return await succeed(process.execPath, [name], this.directory, env)
  }
}

/** @throws with all that the program says, if it fails */
async function succeed(program: string, parameters: string[], cwd: string, env = {}) {
  const { code, stdout, stderr } = await outcome(start(program, parameters, cwd, env))
  if (code !== 0) throw new Error(`${program} ${parameters.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

function start(program: string, parameters: string[], cwd: string, env = {}) {
  return spawn(program, parameters, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
