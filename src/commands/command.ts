import { fileURLToPath } from 'node:url'
import { type Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type Config, ConfigError, readConfig } from '../config.js'
import { EXIT } from '../exit-codes.js'
import { type AnyDatabase, openDatabase } from '../store/open.js'

export { ConfigError, EXIT }

const EXIT_CODES = `
Exit code: 0 done; 1 it failed, and the message says why; 2 it was called in a wrong way, or with a wrong
environment variable; 130 stopped by Ctrl-C; 143 stopped by SIGTERM.`

/** A command was stopped by a signal, before it was done. */
export class Stopped extends Error {
  readonly exitCode: number

  /** @param kept what of its work is there to stay, as a sentence without its dot */
  constructor(interrupt: AbortSignal, kept: string) {
    super(`Stopped: ${kept}`)
    this.exitCode = interrupt.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted
  }
}

/**
 * Runs a command to its end and sets the exit code: 2 for wrong usage, wrong environment variables
 * included, 130 or 143 if it was {@link Stopped}, 1 for any other error, of which only the message is
 * shown; otherwise the command's own, or 0.
 */
export async function run(command: Command): Promise<void> {
  try {
    await command
      .addHelpText('after', EXIT_CODES)
      .showHelpAfterError(`"${command.name()} --help" says how it is called`)
      .exitOverride()
      .parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it already; asking for --help ends here too, and is no error.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
    } else {
      complain((error as Error).message)
      process.exitCode = codeOf(error)
    }
  }
}

function codeOf(error: unknown): number {
  if (error instanceof Stopped) return error.exitCode
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed
}

/** Writes a message to stderr; what a file smuggles into it cannot control the terminal. */
export function complain(message: string): void {
  console.error(message.replace(/(?!\n)\p{Cc}/gu, escaped))
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * Opens the database that the environment names.
 *
 * @throws {ConfigError} and the errors of {@link openDatabase}
 */
export async function openConfiguredDatabase(): Promise<AnyDatabase> {
  const { databaseUrl, databaseLeaseMs } = configuredDatabase()
  return openDatabase(databaseUrl, { leaseMs: databaseLeaseMs })
}

/**
 * What the environment says of the database, which is not one that would end with the command.
 *
 * @throws {ConfigError}
 */
export function configuredDatabase(): Pick<Config, 'databaseUrl' | 'databaseLeaseMs'> {
  const config = readConfig(process.env)
  if (config.databaseUrl === 'file::memory:') {
    throw new ConfigError(
      'DATABASE_URL=file::memory: would end with this command: name a database that stays',
    )
  }
  return config
}

/** An option that names a file: of the project, wherever the command is called, unless it is given. */
export function ofProject(flags: string, description: string, path: string): Option {
  const file = fileURLToPath(new URL(`../../../${path}`, import.meta.url))
  return new Option(flags, description).default(file, path)
}

/** A parser for an option that takes an integer; Commander names the option and the value. */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= minimum && value <= maximum) return value
    throw new InvalidArgumentError(
      `It must be an integer from ${grouped(minimum)} to ${grouped(maximum)}.`,
    )
  }
}

/** A number as people read it: 1,234,567. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A count of something in the form that fits: "1 row is", "2,000 rows are". */
export function counted(count: number, one: string, many: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** Says how long it took since `start` (of `performance.now()`): "6.1 s (164,000/s)". */
export function rate(count: number, start: number): string {
  const seconds = (performance.now() - start) / 1000
  return `${seconds.toFixed(1)} s (${grouped(count / seconds)}/s)`
}
