import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { EXIT, run } from '../src/commands/command.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TAP = join(ROOT, 'node_modules/tap/dist/esm/run.mjs')

/** Every test there is: what dist/ has may be of yesterday. */
const ALL = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .map((name) => join('test', name))

/** The first line of a test that is not quick; behind it stands why it takes long. */
const SLOW = /^\/\/ slow: \S/

/** How many processes the quick tests share: most of what one of them takes is to load the service. */
const PROCESSES = 3

const HELP = `
A quick run leaves out what begins with a line "// slow: why". The others share a few processes, unless
they are named.

Examples:
  npm test                                     all of them
  npm run test:quick                           most of them, in half a minute
  npm test -- test/cache/guest-redis.test.ts   one file
  npm test -- test/cache test/config.test.ts   those of a folder, and a file`

const command = new Command('npm test --')
  .description('Builds, and runs tests.')
  .argument('[paths...]', 'test files, as they are called in the sources, or folders of them')
  .option('--quick', 'leave out those that take long')
  .addHelpText('after', HELP)
  .action(test)

await run(command)

async function test(paths: string[], { quick }: { quick?: true }): Promise<void> {
  const tests = (paths.length > 0 ? paths.flatMap(testsAt) : ALL).filter(
    (file) => !quick || !isSlow(file),
  )
  if (tests.length === 0) {
    command.error('All of these are slow: run them without --quick', { exitCode: EXIT.usage })
  }
  const alone = tests.filter((file) => paths.length > 0 || isSlow(file))
  const shared = tests.filter((file) => !alone.includes(file))
  const files = [...alone.map((file) => join('dist', built(file))), ...bundles(shared)]

  await import('./support/ensure-programs.js')
  const { status } = spawnSync(process.execPath, [TAP, ...files], { cwd: ROOT, stdio: 'inherit' })
  process.exitCode = status ?? EXIT.failed
}

/** Writes a file for each process that tests share, which imports them; long ones are dealt out first. */
function bundles(all: string[]): string[] {
  if (all.length === 0) return []
  const tests = all.toSorted((one, other) => textOf(other).length - textOf(one).length)
  return Array.from({ length: PROCESSES }, (_, process) => {
    const mine = tests.filter((_, index) => index % PROCESSES === process)
    const file = `dist/quick-${process + 1}.test.js`
    writeFileSync(join(ROOT, file), mine.map((test) => `import './${built(test)}'\n`).join(''))
    return file
  })
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
