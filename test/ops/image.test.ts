// no database: it reads files, and asks a service over SQLite for its health
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { documented } from '../support/documented.js'
import { freePort } from '../support/free-port.js'
import { outcome } from '../support/outcome.js'
import { Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const manifest = JSON.parse(read('package.json'))

/** The instructions of the Dockerfile, each in one line, as its name and what follows. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .trim()
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => /^(\S+) (.*)$/.exec(line)?.slice(1) as [string, string])
const last = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'))

function variable(name: string): string {
  return `$\{${name}}`
}

function all(name: string, among = instructions): string[] {
  return among.filter(([each]) => each === name).map(([, text]) => text)
}

t.test('the image is made from the Node of the project, by its digest', async (t) => {
  const [base = ''] = all('ARG')
  const [, version, digest] =
    /^NODE=docker\.io\/library\/node:([\d.]+)-\w+-slim@(sha256:[0-9a-f]{64})$/.exec(base) ?? []
  t.ok(digest, base)
  t.strictSame([...new Set(Object.values(manifest.optionalDependencies))], [version])
  for (const from of all('FROM')) t.match(from, /^\$\{NODE\}(?: AS \w+)?$/)
})

t.test('it is of user 1000 from the first file of the service on, whom /data belongs to', (t) => {
  t.strictSame(all('USER', last), ['1000:1000'])
  t.notOk(
    last.slice(last.findIndex(([name]) => name === 'USER')).some(([name]) => name === 'RUN'),
    'nothing is made behind that',
  )
  t.match(all('RUN', last), [/--owner=node --group=node --mode=700 \/data$/])
  t.strictSame(all('VOLUME'), ['/data'])
  t.ok(all('ENV').some((env) => env.includes('DATABASE_URL=file:/data/')))
  t.end()
})

t.test('its labels are those of the package', (t) => {
  const [labels = ''] = all('LABEL')
  const label = (name: string) =>
    new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]*)"`).exec(labels)?.[1]
  t.equal(label('title'), manifest.name)
  t.equal(label('description'), manifest.description)
  t.equal(label('licenses'), manifest.license)
  t.equal(label('version'), variable('VERSION'))
  t.equal(label('revision'), variable('REVISION'))
  t.equal(label('base\\.name'), variable('NODE'))
  t.end()
})

t.test('what it copies is there, and let through', (t) => {
  const through = new Set(
    read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1)),
  )
  for (const path of through) t.ok(existsSync(join(ROOT, path)), path)
  const made = ['dist', 'node_modules', 'sbom.cdx.json']
  for (const copy of all('COPY')) {
    const paths = copy.split(' ').slice(0, -1)
    for (const path of paths.filter((path) => path !== '.' && !path.startsWith('--'))) {
      const name = path.replace(/^\/app\//, '')
      if (!made.includes(name)) t.ok(through.has(name), copy)
    }
  }
  for (const script of ['build', 'sbom']) {
    const program = manifest.scripts[script].split(' ').at(-1)
    t.ok(through.has(program), `npm run ${script} runs ${program}`)
  }
  t.end()
})

t.test('what it leaves out is what there is, and nothing that it runs', (t) => {
  const removed = all('RUN').flatMap((run) => [...run.matchAll(/dist\/src\/\S+/g)].map(String))
  t.ok(removed.length > 0)
  const [command = ''] = all('CMD')
  for (const path of removed) {
    t.ok(existsSync(join(ROOT, path.replace('.*', '.js'))), path)
    t.notOk(command.includes(path.replace('.*', '')))
  }
  const [, program] = JSON.parse(command)
  t.ok(existsSync(join(ROOT, program)), program)
  t.end()
})

t.test('its health check says 0 when the service can serve, and 1 when not', async (t) => {
  const [text = ''] = all('HEALTHCHECK')
  const [, ...parameters] = JSON.parse(/(?<= CMD ).*$/.exec(text)?.[0] ?? '')
  const health = async (port: number | string) => {
    const env = { PORT: `${port}` }
    return (await outcome(spawn(process.execPath, parameters, { env }))).code
  }
  const service = await Service.start(t, { DATABASE_URL: 'file::memory:' })
  t.equal(await health(new URL(service.url).port), 0)
  t.equal(await health(await freePort()), 1, 'nobody is there')
  const unable = createServer((_, response) => response.writeHead(503).end())
  t.teardown(() => unable.close())
  await once(unable.listen(0, '127.0.0.1'), 'listening')
  t.equal(await health((unable.address() as AddressInfo).port), 1, 'a 503')
})

t.test('the docs and compose.yaml run it without any power', (t) => {
  const flags = documented('running the image')
  const { services } = parse(read('compose.yaml'))
  for (const name of ['employees', 'employees-pg', 'migrate']) {
    const service = services[name]
    t.match(service, {
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    t.equal(service.image, undefined, 'it is built here')
  }
  t.strictSame(services.employees.tmpfs, ['/tmp'])
  t.strictSame(services.employees.volumes, ['employees:/data'])
  for (const flag of [
    '--read-only',
    '--tmpfs /tmp',
    '--cap-drop ALL',
    '--security-opt no-new-privileges',
    '-v employees:/data',
    '-p 127.0.0.1:3000:3000',
  ])
    t.ok(flags.includes(`${flag} `), flag)
  t.end()
})

t.test('"npm run image" without anything that builds images says so', async (t) => {
  const program = fileURLToPath(new URL('../../release/image.js', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [program], {
    env: { PATH: await temporaryDirectory(t) },
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.match(stderr, 'None of docker, podman, buildah is there and answers')
})
