import { spawn, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { build, temporaryDirectory } from '../support/build.js'
import { documented, documents } from '../support/documented.js'
import { outcome } from '../support/outcome.js'
import { shownViews } from '../support/shown-views.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const options = {
  skip:
    spawnSync('promtool', ['--version']).status !== 0 &&
    'Prometheus is asked only where it is: "sudo apt-get install prometheus"',
}

t.test('Prometheus takes the configuration by the command in the docs', options, async (t) => {
  t.match(await sh(documented('checking what Prometheus reads')), { code: 0 })
})

t.test('Prometheus reads every alert in the docs', options, async (t) => {
  const file = join(await temporaryDirectory(t), 'rules.json')
  const [, table = ''] =
    /\n\| expression \|.*\n.*\n((?:\|.*\n)+)/.exec(documents.get('docs/operations.md') ?? '') ?? []
  const rules = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, expr]) => ({ alert: 'it', expr }))
  t.ok(rules.length > 5)
  await writeFile(file, JSON.stringify({ groups: [{ name: 'docs', rules }] }))
  t.match(await sh(`promtool check rules --lint=none ${file}`), { code: 0 })
})

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
