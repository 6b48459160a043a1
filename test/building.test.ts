// slow: it builds a copy of the project, again and again
// no database: it is about files of the program, and its signals
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { outcome } from './support/outcome.js'
import { ProjectCopy } from './support/project-copy.js'
import { halfRequest } from './support/requests.js'
import { until } from './support/until.js'
import { isAlive, Workers } from './support/workers.js'

const skip = process.platform === 'win32' && 'Windows has no signals'
const WRONG = "export const wrong: number = 'a text'\n"

t.setTimeout(300_000)

/** One for all: what takes long is the first build. The last test leaves it useless. */
const project = await ProjectCopy.create(t)

t.test('a build touches what has changed, and nothing while a type is wrong', async (t) => {
  await project.succeed('build.js')
  const built = filesOf()
  await project.succeed('build.js')
  t.strictSame(filesOf(), built, 'nothing has changed')

  await project.write('src/wrong.ts', WRONG)
  for (const attempt of ['first', 'second']) {
    const { code, stderr } = await project.run('build.js')
    t.equal(code, 1, attempt)
    t.match(stderr, 'src/wrong.ts(1,14): error TS2322')
  }
  const { code, stdout, stderr } = await project.run('build.js', 'dist/src/server.js', '--help')
  t.equal(code, 1, 'nor is a program run')
  t.equal(stdout, '')
  t.match(stderr, 'error TS2322')
  t.strictSame(filesOf(), built)

  await project.write('src/wrong.ts', 'export const right = 1\n')
  const help = await project.succeed('build.js', 'dist/src/server.js', '--help')
  t.match(help.stdout, 'DATABASE_URL')
  const now = filesOf()
  const touched = Object.keys(now).filter((name) => now[name] !== built[name])
  t.strictSame(touched.sort(), ['.tsbuildinfo', 'src/wrong.js', 'src/wrong.js.map'])
})

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(`SIGTERM to npm start ends it in order (${WEB_CONCURRENCY})`, { skip }, async (t) => {
    const workers = start(t, ['npm', '--silent', 'start'], WEB_CONCURRENCY)
    await until(() => workers.pids.length === Number(WEB_CONCURRENCY))
    workers.process.kill('SIGTERM')
    t.equal(await workers.exit, 0)
    t.equal(workers.said('closing').length > 0, true)
    t.notOk(
      workers.lines.some((line) => isAlive(line['process.pid'])),
      'nothing is left',
    )
  })
}

t.test('Ctrl-C at npm start, which comes twice, finishes requests', { skip }, async (t) => {
  const workers = start(t, ['npm', '--silent', 'start'], '1')
  await until(() => workers.pids.length === 1)
  const [socket, rest] = await halfRequest(t, workers.url)
  workers.signalGroup('SIGINT')
  await until(() => workers.said('closing').length > 0)
  socket.write(rest)
  t.equal(await workers.exit, 0)
})

const noProc = process.platform !== 'linux' && 'no /proc'
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal} during the build ends the compiler, too`, { skip: noProc }, async (t) => {
    const command = [process.execPath, 'build.js', 'dist/src/server.js'] as const
    const child = project.start([...command], {})
    const ended = outcome(child)
    let compiler = 0
    await until(() => {
      const { pid } = child
      compiler = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
      return compiler > 0
    })
    child.kill(signal)
    await once(child, 'exit')
    t.notOk(isAlive(compiler))
    t.match(await ended, { code, stdout: '', stderr: 'Stopped while it was built: nothing was ' })
  })
}

t.test('whatever is built meanwhile, a worker that dies is replaced', { skip }, async (t) => {
  const workers = start(t, [process.execPath, 'build.js', 'dist/src/server.js'], '2')
  await until(() => workers.pids.length === 2)
  const server = await project.read('src/server.ts')
  let building = true
  const builds = (async () => {
    for (let count = 0; building; count++) {
      // Of another release, which has no business under this primary.
      await project.write(
        'src/server.ts',
        `if (performance.now() > 0) throw new Error('build ${count}')\n${server}`,
      )
      await project.succeed('build.js')
    }
    return project.read('dist/src/server.js')
  })()
  await until(async () => (await project.read('dist/src/server.js')).includes('build '))
  const deaths = () => workers.said('a worker died').length
  for (let kills = 1; kills <= 6; kills++) {
    process.kill(workers.pids.at(-1) as number, 'SIGKILL')
    await until(() => workers.pids.length === 2 + kills || deaths() > kills)
    t.equal(deaths(), kills, 'none but those that were killed')
    t.equal((await fetch(`${workers.url}/employees`)).status, 200)
  }
  building = false
  t.match(await builds, 'build ')
  workers.process.kill('SIGTERM')
  t.equal(await workers.exit, 0)
  t.strictSame(
    readdirSync(project.directory).filter((name) => name.startsWith('.workers-')),
    [],
  )
})

function start(t: Test, command: [string, ...string[]], WEB_CONCURRENCY: string): Workers {
  const databaseUrl = `file:${join(project.directory, 'data', 'employees.db')}`
  return Workers.of(t, project.start(command, { PORT: '0', WEB_CONCURRENCY }), databaseUrl)
}

/** When each was written, and as which file. */
function filesOf(): Record<string, string> {
  const dist = join(project.directory, 'dist')
  const names = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  const files = names.map((name) => [name, statSync(join(dist, name))] as const)
  return Object.fromEntries(
    files
      .filter(([, stat]) => stat.isFile())
      .map(([name, { ino, mtimeMs }]) => [name, `${ino} ${mtimeMs}`]),
  )
}
