// slow: each command is a process
// no database: it asks for help
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { outcome } from '../support/outcome.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))

/** Every program that npm runs, by the command that runs it. */
const programs = Object.entries<string>(scripts).flatMap(([name, script]) => {
  const [, program] = /^exec node build\.js (\S+)$/.exec(script) ?? []
  const command = /^(?:start|test)$/.test(name) ? `npm ${name} --` : `npm run ${name} --`
  return program ? [[command, program] as const] : []
})

t.ok(programs.length >= 10)
for (const [command, program] of programs) {
  t.test(`"${command} --nonsense" is refused with 2, and points to --help`, async (t) => {
    const { code, stdout, stderr } = await run(program, '--nonsense')
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, `"${command} --help"`)
  })

  t.test(
    `"${command} --help" shows no default that says nothing, and no path of ours`,
    async (t) => {
      const { code, stdout } = await run(program, '--help')
      t.equal(code, 0)
      if (command !== 'npm start --') t.ok(stdout.startsWith(`Usage: ${command} `), stdout)
      t.notMatch(stdout, /\(default: (?:false|""|\[\])\)/)
      t.notOk(stdout.replaceAll(/\s+/g, '').includes(ROOT), stdout)
    },
  )
}

function run(program: string, parameter: string) {
  const child = spawn(process.execPath, [program, parameter], {
    cwd: ROOT,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return outcome(child)
}
