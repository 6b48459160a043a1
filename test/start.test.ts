// slow: each start is a process
// no database: what is wrong is found before it is opened
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { isOneLine, start, testFailedStarts } from './support/failed-start.js'
import { temporaryDirectory } from './support/temporary-directory.js'

testFailedStarts([
  {
    what: 'a name that has no address',
    code: 1,
    says: /^HOST=nowhere\.invalid is a name that has no address \(\w+\): set 127\.0\.0\.1 /,
    env: () => ({ HOST: 'nowhere.invalid' }),
  },
  {
    what: 'an address of another machine',
    code: 1,
    // TEST-NET-1 (RFC 5737) is nobody's.
    says: /^HOST=192\.0\.2\.1 is no address of this machine: set .*EADDRNOTAVAIL\)$/,
    env: () => ({ HOST: '192.0.2.1', ALLOW_ANONYMOUS: 'true' }),
  },
  {
    what: 'a Redis whose URL has a wrong port',
    code: 2,
    says: 'REDIS_URL must be redis://HOST:PORT or rediss://HOST:PORT, ',
    env: () => ({ REDIS_URL: 'redis://127.0.0.1:99999' }),
  },
  {
    what: 'a file of keys that is not there',
    code: 2,
    says: 'API_KEYS_FILE: cannot read /dev/null/keys: name a file that is there and ',
    env: () => ({ API_KEYS_FILE: '/dev/null/keys' }),
  },
  {
    what: 'a variable that is wrong',
    code: 2,
    says: /^PORT must be an integer from 0 to 65535, not "http"$/,
    env: () => ({ PORT: 'http' }),
  },
])

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(
    `a port that is taken is one line, with exit code 1 (of ${WEB_CONCURRENCY})`,
    async (t) => {
      const other = createServer().listen(0, '127.0.0.1')
      t.teardown(() => other.close())
      await once(other, 'listening')
      const { port } = other.address() as AddressInfo
      const directory = await temporaryDirectory(t)
      const ended = await start(t, directory, { PORT: `${port}`, WEB_CONCURRENCY })
      isOneLine(t, ended, 1, `PORT=${port} is in use at 127.0.0.1: end what listens there, or set `)
      t.notOk(existsSync(join(directory, 'data')), 'no database is made for nothing')
    },
  )
}

t.test('bad variables are a line each', async (t) => {
  const directory = await temporaryDirectory(t)
  t.strictSame(await start(t, directory, { PORT: 'http', LOG_LEVEL: 'loud' }), {
    code: 2,
    stdout: '',
    stderr:
      'PORT must be an integer from 0 to 65535, not "http"\n' +
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud"\n',
  })
})

t.test('arguments are refused with 2, and their values not shown', async (t) => {
  for (const [parameters, name] of [
    [['--port', '3000'], '--port'],
    [['--redis-url=redis://:secret@cache'], '--redis-url'],
    [['redis://:secret@cache'], 'An argument'],
    [['-p'], '-p'],
  ] as const) {
    const ended = await start(t, await temporaryDirectory(t), {}, ...parameters)
    const says = `${name}: the service takes no arguments, it is configured by environment variables, `
    isOneLine(t, ended, 2, says)
    t.match(ended.stderr, '"PORT=3000 npm start"; "npm start -- --help" lists them')
    t.notMatch(ended.stderr, 'secret')
  }
})

t.test('--help lists every variable, with exit code 0', async (t) => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, table = ''] = /## Configuration\n([\s\S]*?)\n## /.exec(readme) ?? []
  const names = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name as string),
  )
  t.ok(names.length > 10)
  const { code, stdout } = await start(t, await temporaryDirectory(t), {}, '--help')
  t.equal(code, 0)
  for (const name of names) t.match(stdout, `\n  ${name} `)
})
