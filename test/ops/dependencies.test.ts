// slow: npm is asked
// no database: it is of packages
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { temporaryDirectory } from '../support/build.js'
import { outcome } from '../support/outcome.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

function run(script: string, parameters: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [script, ...parameters], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return outcome(child)
}

t.test('the licences of the production dependencies are allowed', async (t) => {
  const { code, stdout, stderr } = await run('.ci/licences.js')
  t.equal(code, 0, stderr)
  t.match(stdout, /^\d+ production dependencies: \d+ MIT, /)
})

for (const [license, isAllowed] of [
  ['MIT', true],
  ['(MIT OR GPL-3.0-only)', true],
  ['GPL-3.0-only OR ISC', true],
  ['(MIT AND GPL-3.0-only)', false],
  ['MIT AND (GPL-3.0-only OR ISC)', true],
  ['GPL-3.0-only', false],
  ['SEE LICENSE IN LICENSE.md', false],
  [undefined, false],
] as const) {
  t.test(`a dependency under ${license} is ${isAllowed ? 'allowed' : 'refused'}`, async (t) => {
    const lock = join(await temporaryDirectory(t), 'package-lock.json')
    const packages = {
      '': { license: 'UNLICENSED' },
      'node_modules/thing': { license },
      'node_modules/tool': { license: 'GPL-3.0-only', dev: true },
      'node_modules/both': { license, devOptional: true },
    }
    await writeFile(lock, JSON.stringify({ packages }))
    const { code, stderr } = await run('.ci/licences.js', [lock])
    t.equal(code, isAllowed ? 0 : 1)
    for (const name of isAllowed ? [] : ['thing', 'both'])
      t.match(stderr, new RegExp(`^node_modules/${name}: .*is not among the licences`, 'm'))
    t.notMatch(stderr, 'tool')
  })
}

t.test('the bill of materials has every production dependency, as it is locked', async (t) => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'))
  const { version } = packages['']
  for (const omitsOptional of [false, true]) {
    const { code, stdout } = await run('.ci/sbom.js', omitsOptional ? ['--omit=optional'] : [])
    t.equal(code, 0)
    const bill = JSON.parse(stdout)
    t.match(bill, {
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'employees-service', version, type: 'application' } },
    })
    const expected = Object.entries<Locked>(packages)
      .filter(([path, { dev }]) => path !== '' && !dev)
      .filter(([, { optional, devOptional }]) => !(omitsOptional && (optional || devOptional)))
      .map(([path, { version, integrity, license }]) => ({
        name: path.replace(/^.*node_modules\//, ''),
        version,
        integrity,
        license,
      }))
    const found = bill.components.map(({ name, version, hashes, licenses }: Component) => ({
      name,
      version,
      integrity: `sha512-${Buffer.from(hashes[0]?.content ?? '', 'hex').toString('base64')}`,
      license: licenses[0]?.license?.id ?? licenses[0]?.expression,
    }))
    // One that is there twice is listed once.
    t.strictSame(
      [...new Set(found.map(inOneLine))].sort(),
      [...new Set(expected.map(inOneLine))].sort(),
    )
  }
})

interface Locked {
  version: string
  integrity: string
  license: string
  dev?: true
  optional?: true
  devOptional?: true
}

interface Component {
  name: string
  version: string
  hashes: { content: string }[]
  licenses: { license?: { id: string }; expression?: string }[]
}

function inOneLine(object: object): string {
  return JSON.stringify(object)
}

for (const [severity, fails] of [
  ['critical', true],
  ['high', true],
  ['moderate', false],
] as const) {
  t.test(`a vulnerability of the grade ${severity} ${fails ? 'fails' : 'passes'}`, async (t) => {
    const url = 'https://example.org/advisory'
    const advisory = { id: 1, url, title: 'A hole', severity, vulnerable_versions: '*' }
    const registry = createServer((request, response) => {
      const isAudit = request.url?.endsWith('/advisories/bulk')
      request.resume().on('end', () => {
        response.statusCode = isAudit ? 200 : 404
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(isAudit ? { fastify: [{ ...advisory }] } : {}))
      })
    })
    t.teardown(() => registry.close())
    await once(registry.listen(0, '127.0.0.1'), 'listening')
    const { port } = registry.address() as AddressInfo
    const { code, stdout, stderr } = await run('.ci/audit.js', [], {
      npm_config_registry: `http://127.0.0.1:${port}/`,
      // Otherwise npm remembers the advisory.
      npm_config_cache: await temporaryDirectory(t),
    })
    t.equal(code, fails ? 1 : 0, stderr)
    if (fails) t.match(stderr, `${severity}: fastify: A hole ${url}`)
    else t.match(stdout, /^No vulnerability of the grade high or critical is known, 1 below/)
  })
}

t.test('a registry that is away is told, and fails nothing', async (t) => {
  const { code, stderr } = await run('.ci/audit.js', [], {
    npm_config_registry: 'http://127.0.0.1:1/',
  })
  t.equal(code, 0)
  t.match(stderr, /^Not audited: the registry did not answer/)
})
