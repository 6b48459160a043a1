import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Dialect } from '../../drizzle/define-view.js'
import { openDatabase } from '../../src/store/open.js'
import { dialect } from './any-database.js'
import { type Outcome, outcome } from './outcome.js'
import { postgresDatabase } from './postgres-database.js'
import { openShell, type Shell } from './shell.js'
import { temporaryDirectory } from './temporary-directory.js'

/** Where in src/ each command is. */
const FOLDERS = {
  import: 'bulk',
  generate: 'bulk',
  move: 'bulk',
  backup: 'bulk',
  key: 'commands',
  openapi: 'commands',
} as const
type Command = keyof typeof FOLDERS

/** A directory with a database of the test's own, on which commands run as from a shell. */
export class Workplace {
  readonly databaseUrl: string
  readonly #directory: string
  readonly #t: Test
  #shell: Promise<Shell> | undefined

  private constructor(t: Test, directory: string, databaseUrl: string) {
    this.#t = t
    this.#directory = directory
    this.databaseUrl = databaseUrl
  }

  /** @param kind of its database: that which tests run on, unless it is said */
  static async create(t: Test, kind: Dialect = dialect): Promise<Workplace> {
    const directory = await temporaryDirectory(t)
    const url =
      kind === 'postgres' ? await postgresDatabase(t) : `file:${join(directory, 'employees.db')}`
    return new Workplace(t, directory, url)
  }

  /** Writes a file and gives its path. */
  async file(name: string, content: string | Buffer): Promise<string> {
    const path = join(this.#directory, name)
    await writeFile(path, content)
    return path
  }

  /** Runs a command to its end. */
  async run(command: Command, ...parameters: string[]): Promise<Outcome> {
    return outcome(this.start(command, ...parameters))
  }

  /** Runs a command on another database. */
  async runOn(url: string, command: Command, ...parameters: string[]): Promise<Outcome> {
    return outcome(this.#spawn([], command, parameters, url))
  }

  start(command: Command, ...parameters: string[]): ChildProcess {
    return this.#spawn([], command, parameters)
  }

  /** Starts a command in a process that loads this module first. */
  startWith(module: string, command: Command, ...parameters: string[]): ChildProcess {
    return this.#spawn(['--import', module], command, parameters)
  }

  /**
   * Starts a command that stands still as soon as it has written this to stderr; then does something to
   * it, and lets it go on. Resolves when it has ended.
   */
  async runUntil(
    said: string,
    act: (child: ChildProcess) => void,
    command: Command,
    ...parameters: string[]
  ): Promise<Outcome> {
    const child = this.startWith(standStillAt(said), command, ...parameters)
    let goOn: NodeJS.Timeout | undefined
    when(child.stderr, said, () => {
      act(child)
      // Again and again, as it may not stand still yet.
      goOn = setInterval(() => child.kill('SIGCONT'), 10)
    })
    return outcome(child).finally(() => clearInterval(goOn))
  }

  /** Runs a command on a terminal, where somebody types this at the question; stdout has all it says. */
  async runOnTerminal(typed: string, command: Command, ...parameters: string[]): Promise<Outcome> {
    const line = [process.execPath, programOf(command), ...parameters].join(' ')
    const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd: this.#directory,
      env: { DATABASE_URL: this.databaseUrl, SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    when(child.stdout, '[y/N] ', () => child.stdin.write(typed))
    return outcome(child)
  }

  #spawn(
    options: string[],
    command: Command,
    parameters: string[],
    url = this.databaseUrl,
  ): ChildProcess {
    return spawn(process.execPath, [...options, programOf(command), ...parameters], {
      cwd: this.#directory,
      // None of what the test runner wants of its children.
      env: { DATABASE_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** A shell on the database, which is brought up to date. */
  shell(): Promise<Shell> {
    this.#shell ??= this.#open()
    return this.#shell
  }

  async #open(): Promise<Shell> {
    const db = await openDatabase(this.databaseUrl)
    await db.close()
    return openShell(this.#t, this.databaseUrl)
  }

  /** The employees as rows of name, salary, department, by id. */
  async employees(): Promise<unknown[]> {
    const shell = await this.shell()
    const rows = await shell.all('SELECT name, salary, department FROM employees ORDER BY id')
    return rows.map((row) => Object.values(row))
  }
}

function programOf(command: Command): string {
  return fileURLToPath(new URL(`../../src/${FOLDERS[command]}/${command}.js`, import.meta.url))
}

/** A module for a process that must get no further, however late somebody is to hear what it said. */
function standStillAt(said: string): string {
  const source = `
    const { write } = process.stderr
    process.stderr.write = (text, ...more) => {
      const written = write.call(process.stderr, text, ...more)
      if (String(text).includes(${JSON.stringify(said)})) {
        process.stderr.write = write
        process.kill(process.pid, 'SIGSTOP')
      }
      return written
    }`
  return `data:text/javascript,${encodeURIComponent(source)}`
}

/** Does something once, as soon as a process writes this. */
function when(output: Readable | null, said: string, act: () => void): void {
  let text = ''
  const listen = (more: Buffer) => {
    text += more
    if (!text.includes(said)) return
    output?.off('data', listen)
    act()
  }
  output?.on('data', listen)
}
