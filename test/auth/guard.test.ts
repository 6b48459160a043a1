// no database: the configuration is read
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { assertGuarded, readConfig } from '../../src/config.js'
import { entries } from '../support/keys.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const SERVER = fileURLToPath(new URL('../../src/server.js', import.meta.url))

t.test('without keys the service listens to this machine only, unless told so', async (t) => {
  const hosts = ['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LocalHost']
  for (const HOST of hosts) assertGuarded(readConfig({ HOST }))
  for (const HOST of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '::ffff:10.0.0.1',
    'employees.example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
  ]) {
    t.throws(() => assertGuarded(readConfig({ HOST })), { name: 'ConfigError' }, HOST)
    assertGuarded(readConfig({ HOST, ALLOW_ANONYMOUS: 'true' }))
    assertGuarded(readConfig({ HOST, API_KEYS: entries }))
    t.throws(() => assertGuarded(readConfig({ HOST, ALLOW_ANONYMOUS: 'false' })))
    t.throws(() => readConfig({ HOST, ALLOW_ANONYMOUS: 'yes' }), /^ALLOW_ANONYMOUS must be true or/)
  }
})

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(`refused: exit code 2, both ways out (${WEB_CONCURRENCY} processes)`, async (t) => {
    const { status, stderr } = spawnSync(process.execPath, [SERVER], {
      cwd: await temporaryDirectory(t),
      env: { HOST: '0.0.0.0', PORT: '0', WEB_CONCURRENCY },
      encoding: 'utf8',
      timeout: 30_000,
    })
    t.equal(status, 2)
    t.match(stderr, /^HOST=0\.0\.0\.0 .*API_KEYS or API_KEYS_FILE.*ALLOW_ANONYMOUS=true\n$/)
  })
}

t.test('keys come from the environment or a file, not from both', async (t) => {
  const API_KEYS_FILE = join(await temporaryDirectory(t), 'keys')
  await writeFile(API_KEYS_FILE, `# ours\n${entries.replace(',', '\n')}\n`)
  t.strictSame(readConfig({ API_KEYS_FILE }).apiKeys, readConfig({ API_KEYS: entries }).apiKeys)
  t.throws(() => readConfig({ API_KEYS_FILE, API_KEYS: entries }), /are both set/)
})

t.test('keys that cannot be read are an error, not an open service', async (t) => {
  const API_KEYS_FILE = join(await temporaryDirectory(t), 'keys')
  t.throws(() => readConfig({ API_KEYS_FILE }), {
    name: 'ConfigError',
    message: `API_KEYS_FILE: cannot read ${API_KEYS_FILE}: name a file that is there and that you may read (ENOENT)`,
  })
  for (const name of ['API_KEYS', 'API_KEYS_FILE']) {
    const message = `${name} is empty: set it, or unset it to do without keys`
    t.throws(() => readConfig({ [name]: '' }), { name: 'ConfigError', message })
  }
  await writeFile(API_KEYS_FILE, '# nobody yet\n')
  t.throws(() => readConfig({ API_KEYS_FILE }), { message: 'API_KEYS_FILE: has no key' })
  t.throws(() => readConfig({ API_KEYS: 'secret' }), {
    name: 'ConfigError',
    message:
      'API_KEYS: entry 1 is not NAME:read:SHA256 or NAME:write:SHA256; "npm run key -- NAME ROLE" makes one',
  })
})

t.test('origins are exact, and * is refused', async (t) => {
  const { corsOrigins } = readConfig({ CORS_ORIGINS: 'https://a.example, http://localhost:8080' })
  t.strictSame(corsOrigins, ['https://a.example', 'http://localhost:8080'])
  for (const CORS_ORIGINS of [
    '*',
    'null',
    'a.example',
    'https://*.example',
    'https://a.example/',
    'https://a.example:443',
    'https://A.example',
    'ftp://a.example',
    'https://a.example https://b.example',
    'https://a.example,*',
  ]) {
    t.throws(() => readConfig({ CORS_ORIGINS }), /^CORS_ORIGINS must be/, CORS_ORIGINS)
  }
})

t.test('the limit is an integer from 1, and unset there is none', async (t) => {
  t.equal(readConfig({}).rateLimitPerMinute, undefined)
  t.equal(readConfig({ RATE_LIMIT_PER_MINUTE: '1' }).rateLimitPerMinute, 1)
  for (const RATE_LIMIT_PER_MINUTE of ['0', '-1', '1.5', 'many']) {
    t.throws(() => readConfig({ RATE_LIMIT_PER_MINUTE }), /RATE_LIMIT_PER_MINUTE must be/)
  }
})
