// slow: it runs shells
import { spawn } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { newDatabase } from '../support/any-database.js'
import { documented } from '../support/documented.js'
import { outcome } from '../support/outcome.js'
import { Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** npm, without the build in front of a script: it is done, and others run what it would write. */
const NPM = `#!/bin/sh
while [ "$1" = run ] || [ "$1" = --silent ]; do shift; done
script=$(node -p "require('${ROOT}package.json').scripts['$1'].split(' ').at(-1)")
shift
if [ "$1" = -- ]; then shift; fi
exec node "${ROOT}$script" "$@"
`

t.test("the README's tour says what the README says", async (t) => {
  const { run, DATABASE_URL } = await workplace(t)
  const { url } = await Service.start(t, { DATABASE_URL })
  const { stdout } = await outcome(run(at(url, documented('tour'))))
  const comparable = (text: string) => text.replaceAll('\r', '').replaceAll(/ttl=\d+/g, 'ttl=…')
  t.equal(comparable(stdout), comparable(documented('what the tour says')))
})

t.test('an array is sent as the docs say', async (t) => {
  const { run, DATABASE_URL } = await workplace(t)
  const { url } = await Service.start(t, { DATABASE_URL })
  const { stdout } = await outcome(run(at(url, documented('sending an array'))))
  t.match(stdout, /^HTTP\/1\.1 201 Created\r\n/)
  t.match(stdout, /^location: \/employees\?limit=2&after=0\r$/m)
  t.match(stdout, /\[{"id":1,"name":"Ada Lovelace",.*{"id":2,"name":"Tom Jones",/)
})

t.test('lines are sent as the docs say', async (t) => {
  const { run, DATABASE_URL } = await workplace(t)
  const { url } = await Service.start(t, { DATABASE_URL })
  const { stdout } = await outcome(run(at(url, documented('sending lines'))))
  t.match(stdout, /HTTP\/1\.1 201 Created\r\n/)
  t.match(stdout, /^location: \/employees\?limit=1000&after=0\r$/m)
  t.match(stdout, '{"count":5000,"first":1,"last":5000}')
})

t.test('a key is made and sent as the docs say', async (t) => {
  const { run } = await workplace(t)
  const server = run(documented('making a key'))
  const key = lineWith(server.stderr, /emp_\S+/)
  const url = await lineWith(server.stdout, /http:\/\/[\d.:]+/)
  const text = documented('sending a key')
  const { stdout } = await outcome(run(at(url, text).replace('emp_...', await key)))
  const statuses = [...stdout.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  const promised = [...text.matchAll(/# (\d+)$/gm)].map(([, status]) => status)
  t.ok(promised.length > 1)
  t.strictSame(statuses, promised)
})

/** A directory of the test's own, in which shells run. */
async function workplace(t: Test) {
  const directory = await temporaryDirectory(t)
  await writeFile(join(directory, 'npm'), NPM)
  await chmod(join(directory, 'npm'), 0o755)
  const DATABASE_URL = await newDatabase(t)
  const PATH = [directory, join(process.execPath, '..'), process.env.PATH].join(delimiter)
  const run = (script: string) => {
    // A group of its own, to be ended with what it started.
    const shell = spawn('sh', ['-c', script], {
      cwd: directory,
      env: { PATH, DATABASE_URL, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    t.teardown(() => {
      if (shell.exitCode === null) process.kill(-(shell.pid as number), 'SIGKILL')
    })
    return shell
  }
  return { run, DATABASE_URL }
}

function at(url: string, text: string): string {
  return text.replaceAll('localhost:3000', new URL(url).host)
}

/** The first match in what a process says. */
async function lineWith(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: stream })) {
    const [match] = pattern.exec(line) ?? []
    if (match) return match
  }
  throw new Error(`It ended without ${pattern}`)
}
