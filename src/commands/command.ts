import { type Command, CommanderError, InvalidArgumentError } from 'commander'
import { readConfig } from '../config.js'
import { type Database, openDatabase } from '../store/sqlite/database.js'

/** What a command line tool answers to the shell. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/**
 * Runs a command to its end and sets the exit code: 2 for wrong usage, 1 for any other error, of
 * which only the message is shown; otherwise the command's own, or 0.
 */
export async function run(command: Command): Promise<void> {
  try {
    await command.exitOverride().parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it already; asking for --help ends here too, and is no error.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
    } else {
      complain((error as Error).message)
      process.exitCode = EXIT.failed
    }
  }
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
export function openConfiguredDatabase(): Database {
  const { databaseUrl } = readConfig(process.env)
  if (databaseUrl === 'file::memory:') {
    throw new Error('DATABASE_URL is file::memory:, which would end with this command: name a file')
  }
  return openDatabase(databaseUrl)
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

/** Says how long it took since `start` (of `performance.now()`): "6.1 s (164,000/s)". */
export function rate(count: number, start: number): string {
  const seconds = (performance.now() - start) / 1000
  return `${seconds.toFixed(1)} s (${grouped(count / seconds)}/s)`
}
