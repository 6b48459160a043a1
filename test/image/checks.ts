// What the image promises, in containers as the docs start them. Run by "npm run test:image".
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { documented } from '../support/documented.js'
import { freePort } from '../support/free-port.js'
import { until } from '../support/until.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const { TEST_ENGINE: ENGINE = 'podman', TEST_IMAGE: IMAGE = 'employees-test' } = process.env
const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))

const ada = { name: 'Ada Lovelace', salary: 180_000, department: 'Engineering' }

/** How the docs run it, without its name, its port, its volume, its keys and the image. */
const FLAGS = documented('running the image')
  .replaceAll(/\\\n/g, ' ')
  .replace(/^[\s\S]*docker run -d --name employees /, '')
  .replace(/-v employees:\/data [\s\S]*$/, '')
  .trim()
  .split(/\s+/)

t.setTimeout(300_000)

t.test('an employee is there still in a new container over the same volume', async (t) => {
  const data = volume(t)
  const first = await started(t, data)
  const created = await fetch(`${first.url}/employees`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ada),
  })
  t.equal(created.status, 201)
  t.equal(stopped(first.name), 0, 'the service ends in order as process 1')
  const second = await started(t, data)
  const read = await fetch(`${second.url}/employees/1`)
  t.strictSame(await read.json(), { id: 1, ...ada })
})

t.test('it is nobody of power, and writes to its volume and /tmp alone', async (t) => {
  const { name } = await started(t, volume(t))
  t.match(inside(name, 'id', '--user').stdout, /^1000$/m)
  const { stdout: status } = inside(name, 'cat', '/proc/1/status')
  t.match(status, /^CapEff:\t0+$/m)
  t.match(status, /^CapBnd:\t0+$/m)
  t.match(status, /^NoNewPrivs:\t1$/m)
  t.match(inside(name, 'stat', '--format', '%a', '/data/employees.db').stdout, /^600$/m)
  for (const place of ['/data', '/tmp']) t.equal(inside(name, 'touch', `${place}/x`).status, 0)
  for (const place of ['/app', '/app/dist', '/home/node', '/usr/local', '/etc', '/']) {
    const { status, stderr } = inside(name, 'touch', `${place}/x`)
    t.not(status, 0, place)
    t.match(stderr, /Read-only file system|Permission denied/, place)
  }
})

t.test('what it runs is not its own to change in a container that may be written, too', (t) => {
  const written = engine('run', '--rm', '--no-healthcheck', IMAGE, 'touch', '/app/dist/x')
  t.not(written.status, 0)
  t.match(written.stderr, 'Permission denied')
  t.end()
})

t.test('its health check says 0 when it serves, and 1 when it does not', async (t) => {
  const { name } = await started(t, volume(t))
  const { Test: check } = inspected(name).Config.Healthcheck
  t.equal(check[0], 'CMD')
  const health = (...flags: string[]) => engine('exec', ...flags, name, ...check.slice(1)).status
  t.equal(health(), 0)
  t.equal(health('--env', `PORT=${await freePort()}`), 1, 'nobody is there')
})

t.test('without keys it does not start, and says why', (t) => {
  const { status, stderr } = engine('run', '--rm', '--no-healthcheck', IMAGE)
  t.equal(status, 2)
  t.match(stderr, 'API_KEYS')
  t.end()
})

t.test('it has the commands that work on a database, and what makes it up is left out', (t) => {
  const commands = ['bulk/import', 'bulk/backup', 'bulk/move', 'commands/migrate', 'commands/key']
  for (const command of commands) {
    const { status, stdout } = engine(
      ...['run', '--rm', '--no-healthcheck', IMAGE, 'node', `dist/src/${command}.js`, '--help'],
    )
    t.equal(status, 0, command)
    t.match(stdout, 'Usage: ', command)
  }
  const { stdout } = engine('run', '--rm', '--no-healthcheck', IMAGE, 'ls', 'dist', 'dist/src/bulk')
  t.notMatch(stdout, /^(?:test|bench|contract|release|generate\.js)$/m)
  t.end()
})

t.test('its labels say what it is', (t) => {
  const { Labels: labels, User } = inspected(IMAGE).Config
  const label = (name: string) => labels[`org.opencontainers.image.${name}`]
  t.equal(label('title'), manifest.name)
  t.equal(label('description'), manifest.description)
  t.equal(label('licenses'), manifest.license)
  t.equal(label('version'), manifest.version)
  const head = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' })
  t.equal(label('revision')?.replace(/-dirty$/, ''), head.stdout.trim())
  t.ok(label('base.name'))
  t.equal(User, '1000:1000')
  t.end()
})

t.test('its bill of materials has every package that is there, and no other', (t) => {
  const all = engine(
    ...['run', '--rm', '--no-healthcheck', IMAGE, 'node', '--eval', PRINT_PACKAGES],
  )
  t.equal(all.status, 0, all.stderr)
  const { packages, bill } = JSON.parse(all.stdout)
  t.equal(bill.bomFormat, 'CycloneDX')
  t.equal(bill.metadata.component.version, manifest.version)
  const names = bill.components.map(
    ({ name, version }: { name: string; version: string }) => `${name}@${version}`,
  )
  t.strictSame([...new Set<string>(packages)].sort(), [...new Set<string>(names)].sort())
  t.end()
})

/** Run in the image: what is installed there, beside the bill. */
const PRINT_PACKAGES = `
const packages = fs.globSync('node_modules/**/package.json', { cwd: '/app' })
  .filter((path) => /(^|[/])node_modules[/](@[^/]+[/])?[^/]+[/]package.json$/.test(path))
  .map((path) => JSON.parse(fs.readFileSync('/app/' + path)))
  .map(({ name, version }) => name + '@' + version)
const bill = JSON.parse(fs.readFileSync('/app/sbom.cdx.json'))
console.log(JSON.stringify({ packages, bill }))`

/** Starts it as the docs have it, over a volume, without keys; resolves when it can serve. */
async function started(t: Test, data: string) {
  const port = await freePort()
  const name = `employees-test-${port}`
  const { status, stderr } = engine(
    ...['run', '-d', '--name', name, ...FLAGS, '-v', `${data}:/data`],
    ...['-p', `127.0.0.1:${port}:${port}`, '-e', `PORT=${port}`, '-e', 'ALLOW_ANONYMOUS=true'],
    IMAGE,
  )
  t.teardown(() => engine('rm', '--force', name))
  if (status !== 0) throw new Error(stderr)
  const url = `http://127.0.0.1:${port}`
  await until(async () => {
    if (!inspected(name).State.Running) throw new Error(engine('logs', name).stderr)
    return fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  })
  return { name, url }
}

/** A volume that goes with the test. */
function volume(t: Test): string {
  const { stdout } = engine('volume', 'create')
  const name = stdout.trim()
  t.teardown(() => engine('volume', 'rm', name))
  return name
}

/** Ends a container by SIGTERM; returns its exit code. */
function stopped(name: string): number {
  engine('stop', name)
  const { ExitCode } = inspected(name).State
  engine('rm', name)
  return ExitCode
}

function inside(name: string, ...command: string[]) {
  return engine('exec', name, ...command)
}

function inspected(name: string) {
  return JSON.parse(engine('inspect', name).stdout)[0]
}

function engine(...parameters: string[]) {
  return spawnSync(ENGINE, parameters, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}
