// slow: each command is a process
// no database: the contract is the same
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { Workplace } from '../support/workplace.js'

const committed = readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')

t.test('writes the committed contract to where it is told', async (t) => {
  const work = await Workplace.create(t)
  const out = await work.file('contract.json', '')
  t.same(await work.run('openapi', '--out', out), { code: 0, stdout: `Wrote ${out}\n`, stderr: '' })
  t.equal(readFileSync(out, 'utf8'), committed)
})

t.test('--help and a wrong call write nothing', async (t) => {
  const work = await Workplace.create(t)
  const out = await work.file('contract.json', 'mine')
  const before = readFileSync(out, 'utf8')
  for (const [args, code, said] of [
    [['--help'], 0, '--out <file>'],
    [['--otu'], 2, 'unknown option'],
    [['more'], 2, 'too many arguments'],
    [['--out'], 2, 'argument missing'],
  ] as const) {
    const ended = await work.run('openapi', '--out', out, ...args)
    t.equal(ended.code, code, args[0])
    t.match(ended.stdout + ended.stderr, said)
    t.equal(readFileSync(out, 'utf8'), before)
  }
})

t.test('a place that cannot be written to is an error of one line', async (t) => {
  const work = await Workplace.create(t)
  const { code, stderr } = await work.run('openapi', '--out', 'nowhere/contract.json')
  t.equal(code, 1)
  t.match(stderr, /^ENOENT: .* 'nowhere\/contract.json'\n$/)
  t.notOk(existsSync('nowhere'))
})
