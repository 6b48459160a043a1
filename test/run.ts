import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
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

/** The first line of a test that a quick run leaves out; behind it stands why it takes long. */
const SLOW = /^\/\/ slow: \S/

const HELP = `
A quick run leaves out what begins with a line "// slow: why".

Exit code: 0 all passed; 1 a test failed, or a program that tests start is missing; 2 wrong usage.

Examples:
  npm test                                     all of them
  npm run test:quick                           most of them, in half a minute
  npm test -- test/cache/guest-redis.test.ts   one file
  npm test -- test/cache test/config.test.ts   those of a folder, and a file
`

const command = new Command('npm test --')
  .description('Builds, and runs tests.')
  .argument('[paths...]', 'test files, as they are called in the sources, or folders of them')
  .option('--quick', 'leave out those that take long', false)
  .addHelpText('after', HELP)
  .action(test)

await run(command)

async function test(paths: string[], { quick }: { quick: boolean }): Promise<void> {
  const tests = paths.length > 0 ? paths.flatMap(testsAt) : testsAt(join(ROOT, 'test'))
  const chosen = quick ? tests.filter((file) => !isSlow(file)) : tests
  if (chosen.length === 0) {
    command.error('All of these are slow: run them without --quick', { exitCode: EXIT.usage })
  }

  await import('./support/ensure-programs.js')
  const files = chosen.map((file) => join('dist', file.replace(/\.ts$/, '.js')))
  const { status } = spawnSync(process.execPath, [TAP, ...files], { cwd: ROOT, stdio: 'inherit' })
  process.exitCode = status ?? EXIT.failed
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
  return SLOW.test(readFileSync(join(ROOT, file), 'utf8'))
}
