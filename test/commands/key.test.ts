// slow: each command is a process
// no database: it makes keys
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findKey, parseKeys } from '../../src/auth/api-keys.js'

t.test('shows the key once, and an entry that lets it in', async (t) => {
  const { status, stdout, stderr } = key('web-1', 'write')
  t.equal(status, 0)
  const made = stderr.trim().split('\n').at(-1)
  const keys = parseKeys(stdout)
  t.match(findKey(keys, `Bearer ${made}`), { name: 'web-1', role: 'write' })
  t.notMatch(stdout, made, 'what is redirected to a file holds no secret')
})

t.test('--help: what to do with it, exit code 0', async (t) => {
  const { status, stdout } = key('--help')
  t.equal(status, 0)
  t.match(stdout, /<name> <role>/)
  t.match(stdout, /API_KEYS_FILE/)
  t.match(stdout, /Exit code: 0 done; .* 2 it was called/)
})

t.test('wrong arguments: exit code 2, and no key', async (t) => {
  for (const args of [
    [],
    ['web'],
    ['web', 'admin'],
    ['a:b', 'read'],
    ['', 'read'],
    ['a', 'read', 'b'],
    ['a', 'read', '--admin'],
  ]) {
    const { status, stdout, stderr } = key(...args)
    t.equal(status, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /^error: /)
  }
})

function key(...args: string[]) {
  const program = fileURLToPath(new URL('../../src/commands/key.js', import.meta.url))
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
}
