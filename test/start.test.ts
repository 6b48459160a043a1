// slow: each start is a process
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { openSqlite } from '../src/store/sqlite/open.js'
import { type Outcome, outcome } from './support/outcome.js'
import { SERVER, Service } from './support/service.js'
import { temporaryDirectory } from './support/temporary-directory.js'

/** Each says what is wrong in one line, which begins so; and makes nothing in the folder where it runs. */
const cases: {
  what: string
  code: 1 | 2
  says: string | RegExp
  env: (directory: string) => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>
}[] = [
  {
    what: 'a directory as database',
    code: 1,
    says: /^DATABASE_URL=file:\S+\/folder is a directory: name a file, like file:\S+\/folder\/employees\.db$/,
    env: async (directory) => {
      await mkdir(join(directory, 'folder'))
      return { DATABASE_URL: `file:${join(directory, 'folder')}` }
    },
  },
  {
    what: 'a text as database',
    code: 1,
    says: /^DATABASE_URL=file:\S+\/notes\.txt is no SQLite database: name another file, /,
    env: async (directory) => {
      await writeFile(join(directory, 'notes.txt'), 'These are notes, and no more.\n'.repeat(100))
      return { DATABASE_URL: `file:${join(directory, 'notes.txt')}` }
    },
  },
  {
    what: 'a folder that cannot be made',
    code: 1,
    says: /^DATABASE_URL=file:\/dev\/null\/in\/it\.db: its folder cannot be made, .*\(ENOTDIR/,
    env: () => ({ DATABASE_URL: 'file:/dev/null/in/it.db' }),
  },
  {
    what: 'a file that cannot be made',
    code: 1,
    says: /^DATABASE_URL=file:x{300}: the file cannot be made, .*\(ENAMETOOLONG/,
    env: () => ({ DATABASE_URL: `file:${'x'.repeat(300)}` }),
  },
  {
    what: 'a database of another program',
    code: 1,
    says: /^DATABASE_URL=file:\S+ is of another program, .* \(table employees already exists\)$/,
    env: (directory) => ({ DATABASE_URL: altered(directory, 'CREATE TABLE employees (a)') }),
  },
  {
    what: 'a database of a newer release, which this one cannot use',
    code: 1,
    says: /^DATABASE_URL=file:\S+ is of a newer release, by its migration 9999_names\.sql: start /,
    env: (directory) => ({
      DATABASE_URL: newer(directory, 'ALTER TABLE idempotency_keys RENAME body_hash TO hash'),
    }),
  },
  {
    what: 'a database without one of its secrets',
    code: 1,
    says: /^The table "secrets" .* no row "\w+" any more: restore it, or .*INSERT INTO secrets /,
    env: (directory) => {
      openSqlite(`file:${join(directory, 'some.db')}`).$client.close()
      return { DATABASE_URL: altered(directory, 'DELETE FROM secrets'), WEB_CONCURRENCY: '1' }
    },
  },
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
]

for (const WEB_CONCURRENCY of ['1', '2']) {
  for (const { what, code, says, env } of cases) {
    t.test(`${what} is one line, with exit code ${code} (of ${WEB_CONCURRENCY})`, async (t) => {
      const directory = await temporaryDirectory(t)
      const variables = { PORT: '0', WEB_CONCURRENCY, ...(await env(directory)) }
      const before = await filesOf(directory)
      const ended = await start(t, directory, variables)
      isOneLine(t, ended, code, says)
      t.strictSame(await filesOf(directory), before)
    })
  }

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

t.test('a newer release that left what this one reads: it starts, to roll back', async (t) => {
  const directory = await temporaryDirectory(t)
  const DATABASE_URL = newer(directory, 'ALTER TABLE employees ADD COLUMN title text')
  const { url } = await Service.start(t, { DATABASE_URL })
  t.equal((await fetch(`${url}/employees`)).status, 200)
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

/** Runs the service to an end that it comes to by itself. */
function start(t: Test, cwd: string, env: NodeJS.ProcessEnv, ...parameters: string[]) {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [SERVER, ...parameters], { cwd, env, stdio: [...stdio] })
  t.teardown(() => child.kill('SIGKILL'))
  return outcome(child)
}

function isOneLine(
  t: Test,
  { code, stdout, stderr }: Outcome,
  expected: number,
  says: string | RegExp,
) {
  t.equal(code, expected)
  t.equal(
    stdout
      .split('\n')
      .filter((line) => !line.includes('No keys are configured'))
      .join(''),
    '',
  )
  const [line = '', ...rest] = stderr.split('\n')
  t.strictSame(rest, [''], 'one line')
  if (typeof says === 'string') t.ok(line.startsWith(says), line)
  else t.match(line, says)
}

/** But not what a database has beside it while it is open. */
async function filesOf(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => !/-(?:wal|shm)$/.test(name)).sort()
}

/** The URL of a database in which somebody ran SQL. */
function altered(directory: string, sql: string): string {
  const path = join(directory, 'some.db')
  const client = new Sqlite(path)
  client.exec(sql)
  client.close()
  return `file:${path}`
}

/** Of one that a later release has migrated. */
function newer(directory: string, sql: string): string {
  openSqlite(`file:${join(directory, 'some.db')}`).$client.close()
  return altered(directory, `${sql}; INSERT INTO migrations VALUES ('9999_names.sql', 'later')`)
}
