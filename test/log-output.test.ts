// no database: lines and a file descriptor
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import t from 'tap'
import { LogOutput } from '../src/log-output.js'
import { until } from './support/until.js'

const LINE = `${'x'.repeat(199)}\n`
const MODULE = JSON.stringify(new URL('../src/log-output.js', import.meta.url).href)

t.test('a log that nobody reads takes a bounded memory; what was lost is said', async (t) => {
  const pipe = `${t.testdir()}/pipe`
  execFileSync('mkfifo', [pipe])
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(fd))
  const maxBytes = 256 * 1024
  let lost = 0
  const output = new LogOutput(fd, (lines) => (lost += lines), { maxBytes, waitMs: 5 })
  const lines = 10_000
  for (let i = 0; i < lines; i++) output.write(LINE)

  let read = 0
  const buffer = Buffer.alloc(64 * 1024)
  await until(() => {
    try {
      read += readSync(fd, buffer)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    return lost > 0 && lost + read / LINE.length === lines
  })
  t.ok(read <= maxBytes, `${read} bytes waited`)
})

t.test('a line is there soon, without others', async (t) => {
  const file = `${t.testdir({ log: '' })}/log`
  const fd = openSync(file, 'r+')
  t.teardown(() => closeSync(fd))
  new LogOutput(fd, () => t.fail('was lost')).write(LINE)
  await until(() => readSync(fd, Buffer.alloc(1000), { position: 0 }) === LINE.length)
})

for (const [end, how] of [
  ['by itself', ''],
  ['by process.exit', 'process.exit(0)'],
  ['by an error', 'throw new Error("meant")'],
] as const) {
  t.test(`what waits is written when the process ends ${end}`, async (t) => {
    const program = `
      import { LogOutput } from ${MODULE}
      const output = new LogOutput(1, () => {}, { waitMs: 1e9 })
      for (let i = 0; i < 100; i++) output.write('x'.repeat(199) + '\\n')
      ${how}`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
    })
    t.equal(stdout, LINE.repeat(100))
  })
}
