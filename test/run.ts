import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { EXIT, run } from '../src/commands/command.js'
import { createTemplate, startSharedServer } from './support/postgres-database.js'
import { scoped } from './support/scope.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TAP = join(ROOT, 'node_modules/tap/dist/esm/run.mjs')

/** Every test there is: what dist/ has may be of yesterday. */
const ALL = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .map((name) => join('test', name))

const DATABASES = ['sqlite', 'postgres'] as const
type Database = (typeof DATABASES)[number]

/** The first line of a test that is not quick; behind it stands why it takes long. */
const SLOW = /^\/\/ slow: \S/m
/** One of the first lines of a test that is the same whatever the database is. */
const NO_DATABASE = /^\/\/ no database: \S/m

/** How many processes the quick tests share: most of what one of them takes is to load the service. */
const PROCESSES = 3

const HELP = `
Tests run on SQLite, and those of a database on PostgreSQL as well, unless they are named for one of
them: files in a folder sqlite or postgres. A quick run takes SQLite alone, and leaves out what begins
with a line "// slow: why". Tests share a few processes, unless they are slow or named here.

Examples:
  npm test                                     all of them
  npm run test:quick                           most of them, in half a minute
  npm test -- test/cache/redis-store.test.ts   one file
  npm test -- test/cache test/config.test.ts   those of a folder, and a file
  npm test -- test/routes --database postgres  those of a folder, on PostgreSQL`

const command = new Command('npm test --')
  .description('Builds, and runs tests.')
  .argument('[paths...]', 'test files, as they are called in the sources, or folders of them')
  .option('--quick', 'leave out those that take long, and PostgreSQL')
  .addOption(new Option('--database <database>', 'run them on this one alone').choices(DATABASES))
  .addHelpText('after', HELP)
  .action(test)

await run(command)

interface Options {
  quick?: true
  database?: Database
}

async function test(paths: string[], { quick, database }: Options): Promise<void> {
  const tests = (paths.length > 0 ? paths.flatMap(testsAt) : ALL).filter(
    (file) => !quick || !isSlow(file),
  )
  if (tests.length === 0) {
    command.error('All of these are slow: run them without --quick', { exitCode: EXIT.usage })
  }
  const databases = database ? [database] : quick ? (['sqlite'] as const) : DATABASES
  const files = databases.flatMap((each) => filesFor(each, tests, paths.length > 0))
  if (files.length === 0) {
    command.error(`None of these is a test of ${database}`, { exitCode: EXIT.usage })
  }

  await import('./support/ensure-programs.js')
  process.exitCode = await scoped(async (scope) => {
    // Tests of PostgreSQL alone start servers of their own besides.
    const server = await startSharedServer(scope)
    await createTemplate(server)
    const env = { ...process.env, TEST_POSTGRES_URL: server }
    const options = { cwd: ROOT, env, stdio: 'inherit' } as const
    return spawnSync(process.execPath, [TAP, ...files], options).status ?? EXIT.failed
  })
}

/** What tap runs for a database. */
function filesFor(database: Database, tests: string[], areNamed: boolean): string[] {
  const mine = tests.filter((file) => isFor(database, file))
  const alone = mine.filter((file) => areNamed || isSlow(file))
  const shared = mine.filter((file) => !alone.includes(file))
  return [
    ...(database === 'sqlite'
      ? alone.map((file) => join('dist', built(file)))
      : alone.map((file) =>
          bundle(database, file.replaceAll(sep, '-').replace('.test.ts', ''), [file]),
        )),
    ...bundles(database, shared),
  ]
}

function isFor(database: Database, file: string): boolean {
  const [other] = DATABASES.filter((each) => each !== database)
  if (
    dirname(file)
      .split(sep)
      .includes(other as string)
  )
    return false
  return database === 'sqlite' || !NO_DATABASE.test(textOf(file))
}

/** Writes a file for each process that tests share; long ones are dealt out first. */
function bundles(database: Database, all: string[]): string[] {
  const tests = all.toSorted((one, other) => textOf(other).length - textOf(one).length)
  return Array.from({ length: PROCESSES }, (_, process) => process + 1)
    .map((number) => tests.filter((_, index) => index % PROCESSES === number - 1))
    .filter((mine) => mine.length > 0)
    .map((mine, index) => bundle(database, `quick-${index + 1}`, mine))
}

/** Writes a file that imports tests, on a database. */
function bundle(database: Database, name: string, tests: string[]): string {
  const file = `dist/${database}/${name}.test.js`
  const imports = [`../test/support/on-${database}.js`, ...tests.map((test) => `../${built(test)}`)]
  mkdirSync(dirname(join(ROOT, file)), { recursive: true })
  writeFileSync(join(ROOT, file), imports.map((path) => `import '${path}'\n`).join(''))
  return file
}

function built(test: string): string {
  return test.replace(/\.ts$/, '.js')
}

/** The tests at a path, from the folder where npm was called. */
function testsAt(path: string): string[] {
  const wanted = relative(ROOT, resolve(process.env.INIT_CWD ?? '', path))
  const found = ALL.filter((file) => file === wanted || file.startsWith(wanted + sep))
  if (found.length === 0) {
    command.error(
      `${path} is no test: name a file such as test/config.test.ts, or a folder with such files`,
      { exitCode: EXIT.usage },
    )
  }
  return found
}

function isSlow(file: string): boolean {
  return SLOW.test(textOf(file))
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}
