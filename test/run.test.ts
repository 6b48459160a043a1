// slow: each run is a process
// no database: it reads arguments
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { outcome } from './support/outcome.js'

const RUN = fileURLToPath(new URL('./run.js', import.meta.url))

t.test('a path that is no test is named, with what to do; exit code 2', async (t) => {
  for (const path of ['test/nothing.test.ts', 'src/app.ts']) {
    const { code, stderr } = await run('test/config.test.ts', path)
    t.equal(code, 2, path)
    t.ok(stderr.startsWith(`${path} is no test: name a file such as test/config.test.ts`), stderr)
  }
})

t.test('slow tests alone make no quick run; exit code 2', async (t) => {
  const { code, stderr } = await run('--quick', 'test/browser')
  t.equal(code, 2)
  t.match(stderr, 'run them without --quick')
})

t.test('--help explains it, exit code 0', async (t) => {
  const { code, stdout } = await run('--help')
  t.equal(code, 0)
  for (const part of ['--quick', '--database', '// slow: ', 'Exit code', 'npm test -- test/']) {
    t.match(stdout, part)
  }
})

function run(...parameters: string[]) {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const env = { ...process.env, INIT_CWD: '' }
  return outcome(spawn(process.execPath, [RUN, ...parameters], { env, stdio: [...stdio] }))
}
