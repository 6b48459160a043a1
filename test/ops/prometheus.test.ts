import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { build } from '../support/build.js'
import { documented } from '../support/documented.js'
import { outcome } from '../support/outcome.js'
import { shownViews } from '../support/shown-views.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const options = {
  skip:
    spawnSync('promtool', ['--version']).status !== 0 &&
    'Prometheus is asked only where it is: "sudo apt-get install prometheus"',
}

t.test(
  'Prometheus takes configuration and rules by the commands in the docs',
  options,
  async (t) => {
    for (const command of documented('checking what Prometheus reads').trim().split('\n'))
      t.match(await sh(command), { code: 0 }, command)
  },
)

t.test('Prometheus finds no fault with metrics of the service itself', options, async (t) => {
  const app = await build(t)
  for (const { path } of shownViews) await app.inject(path)
  const { stderr } = await sh('promtool check metrics', (await app.inject('/metrics')).body)
  t.notMatch(stderr, /^(?!nodejs_|process_)./m)
})

function sh(command: string, input = '') {
  const shell = spawn('sh', ['-c', command], { cwd: ROOT })
  shell.stdin.end(input)
  return outcome(shell)
}
