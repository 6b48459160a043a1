// slow: each start is a process
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import t, { type Test } from 'tap'
import { outcome } from '../../support/outcome.js'
import { queryOnce } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { PostgresServer } from '../../support/postgres-server.js'
import { PostgresStandby } from '../../support/postgres-standby.js'
import { SERVER, Service } from '../../support/service.js'

const SECRET = 'do-not-tell'
const SHAPE = /write postgres:\/\/USER:PASSWORD@HOST:PORT\/DATABASE/

/** Each says in one line what is wrong, and what to do. */
const cases: { what: string; says: RegExp; url: (t: Test) => string | Promise<string> }[] = [
  {
    what: 'no host',
    says: SHAPE,
    url: () => 'postgres:///employees',
  },
  {
    what: 'a host that is missing between others',
    says: /^DATABASE_URL: a host is missing between its commas$/,
    url: () => `postgres://me:${SECRET}@one,,other/employees`,
  },
  {
    what: 'no database',
    says: SHAPE,
    url: () => altered({ pathname: '' }),
  },
  {
    what: 'a password that is not percent-encoded',
    says: /are percent-encoded$/,
    url: () => `postgres://me:1%zz${SECRET}@127.0.0.1/employees`,
  },
  {
    what: 'a password with an @',
    says: /are percent-encoded$/,
    url: () => `postgres://me:${SECRET}@${SECRET}@127.0.0.1/employees`,
  },
  {
    what: 'a password with a slash',
    says: /^(?!.*12).*are percent-encoded$/,
    url: () => `postgres://me:12/${SECRET}@127.0.0.1/employees`,
  },
  {
    what: 'a port that is none',
    says: /are percent-encoded$/,
    url: () => `postgres://me:${SECRET}@127.0.0.1:99999/employees`,
  },
  {
    what: 'an option that nobody knows',
    says: /^DATABASE_URL: it has no option sslmod: write sslmode, .* or password$/,
    url: () => altered({ search: `?sslmod=${SECRET}` }),
  },
  {
    what: 'an option that is none',
    says: /^DATABASE_URL: one of its options is unknown: write sslmode, /,
    url: () => altered({ search: `?${SECRET}` }),
  },
  {
    what: 'an sslmode that is none',
    says: /^DATABASE_URL: its option sslmode must be disable, .* or verify-full$/,
    url: () => altered({ search: `?sslmode=${SECRET}` }),
  },
  {
    what: 'an option without a value',
    says: /^DATABASE_URL: its option sslrootcert has no value$/,
    url: () => altered({ search: '?sslrootcert=' }),
  },
  {
    what: 'an authority that is missing',
    says: /^DATABASE_URL: its option sslmode=verify-ca needs sslrootcert, /,
    url: () => altered({ search: '?sslmode=verify-ca&uselibpqcompat=true' }),
  },
  {
    what: 'options behind a #',
    says: /are percent-encoded$/,
    url: () => altered({ search: '?application_name=a', hash: 'sslmode=verify-full' }),
  },
  {
    what: 'a file of certificates that is not there',
    says: /^DATABASE_URL: \/dev\/null\/ca\.pem cannot be read \(ENOTDIR\)$/,
    url: () => altered({ search: '?sslrootcert=/dev/null/ca.pem' }),
  },
  {
    what: 'a host that has no address',
    says: /^DATABASE_URL: there is no host nowhere\.invalid: name another, .*ENOTFOUND/,
    url: () => `postgres://me:${SECRET}@nowhere.invalid/employees`,
  },
  {
    what: 'a server that is not there',
    says: /^DATABASE_URL: no server takes writes: start one, or name it \(127\.0\.0\.1:1: ECONNREFUSED\)$/,
    url: () => `postgres://me:${SECRET}@127.0.0.1:1/employees`,
  },
  {
    what: 'a server without TLS where the URL wants it',
    says: /cannot be used as the URL says: .*does not support SSL/,
    url: () => altered({ search: '?sslmode=require' }),
  },
  {
    what: 'a setting that the server does not know',
    says: /cannot be used as the URL says: .*"nonsense"/,
    url: () => altered({ search: '?options=-c%20nonsense%3D1' }),
  },
  {
    what: 'a wrong password',
    says: /does not let this user in: name another user or password, .*"postgres"/,
    url: () => altered({ password: SECRET }),
  },
  {
    what: 'no password where one is asked for',
    says: /^DATABASE_URL: 127\.0\.0\.1:\d+ asks for a password, and the URL has none: write USER:PASSWORD@ /,
    url: () => altered({ password: '' }),
  },
  {
    what: 'a database that is not there',
    says: /has no such database: make it with ENCODING UTF8, .*"nowhere"/,
    url: () => altered({ pathname: '/nowhere' }),
  },
  {
    what: 'a database with another encoding',
    says: /its encoding is SQL_ASCII: make a database with ENCODING 'UTF8', and name that$/,
    url: async (t) => {
      const url = await postgresDatabase(t)
      const name = new URL(url).pathname.slice(1)
      const other = altered({ pathname: '/postgres' }, url)
      await queryOnce(other, `DROP DATABASE ${name}`)
      await queryOnce(
        other,
        `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0`,
      )
      return url
    },
  },
  {
    what: 'a user without rights',
    says: /does not let this user do what it needs: .* "npm run migrate -- --grant user_of_\w+", .*\(permission denied for schema public\)/,
    url: async (t) => ofAnotherUser(t, await postgresDatabase(t)),
  },
  {
    what: 'a user who may not read the tables',
    says: /does not let this user do what it needs: .* "npm run migrate -- --grant user_of_\w+", .*\(permission denied for table migrations\)/,
    url: async (t) => ofAnotherUser(t, await served(t, 'SELECT')),
  },
  {
    what: 'a search path that leads nowhere',
    says: /has no schema for the tables: make one of its search_path, or change that/,
    url: () => altered({ search: '?options=-c%20search_path%3Dnowhere' }),
  },
  {
    what: 'a database of another program',
    says: /is of another program, .*: name another database \(relation "employees" already exists\)/,
    url: async (t) => {
      const url = await postgresDatabase(t)
      await queryOnce(url, 'CREATE TABLE employees (a int)')
      return url
    },
  },
  {
    what: 'a database that was changed by hand',
    says: /is of another program, or was changed by hand: name another database /,
    url: (t) => served(t, 'ALTER TABLE employees RENAME salary TO pay'),
  },
  {
    what: 'a database of a newer release, which this one cannot use',
    says: /is of a newer release, by its migration 9999_names\.sql: start that release, or /,
    url: (t) =>
      served(
        t,
        `ALTER TABLE idempotency_keys DROP COLUMN body_hash;
         INSERT INTO migrations (name) VALUES ('9999_names.sql')`,
      ),
  },
  {
    what: 'a database without one of its secrets',
    says: /The table "secrets" .* no row "\w+" any more: restore it, or .*INSERT INTO secrets /,
    url: (t) => served(t, 'DELETE FROM secrets'),
  },
  {
    what: 'a standby alone',
    says: /^DATABASE_URL: no server takes writes: start one, or name it \(127\.0\.0\.1:\d+: it is a standby\)$/,
    url: async (t) => (await PostgresStandby.of(t, await PostgresServer.start(t))).url(),
  },
  {
    what: 'a server that takes no writes',
    says: /takes no writes \(default_transaction_read_only\)/,
    url: () => altered({ search: '?options=-c%20default_transaction_read_only%3Don' }),
  },
]

// Some of them wait for a server.
t.jobs = 4

for (const { what, says, url } of cases) {
  t.test(`${what} is one line, with exit code 1`, { buffered: true }, async (t) => {
    const DATABASE_URL = await url(t)
    const { code, stdout, stderr } = await start(t, { DATABASE_URL, LOG_LEVEL: 'trace' })
    t.equal(code, 1)
    const [line = '', ...rest] = stderr.split('\n')
    t.match(line, says)
    t.match(line, /^DATABASE_URL: /)
    t.strictSame(rest, [''], 'one line')
    const { password } = URL.canParse(DATABASE_URL) ? new URL(DATABASE_URL) : { password: '' }
    for (const secret of [password || SECRET, SECRET]) t.notMatch(stdout + stderr, secret)
  })
}

t.test('a primary says what is wrong once, and not each of its workers', async (t) => {
  const DATABASE_URL = altered({ password: SECRET })
  const { code, stderr } = await start(t, { DATABASE_URL, WEB_CONCURRENCY: '2' })
  t.equal(code, 1)
  t.match(stderr, /^DATABASE_URL: .* does not let this user in: .*\n$/)
})

t.test('a newer release that left what this one reads: it starts, to roll back', async (t) => {
  const DATABASE_URL = await served(
    t,
    `ALTER TABLE employees ADD COLUMN title text;
     INSERT INTO migrations (name) VALUES ('9999_titles.sql')`,
  )
  const { url } = await Service.start(t, { DATABASE_URL })
  t.equal((await fetch(`${url}/employees`)).status, 200)
})

t.test('what is no URL of a database is a wrong variable, with exit code 2', async (t) => {
  const { code, stderr } = await start(t, { DATABASE_URL: `mysql://me:${SECRET}@127.0.0.1/db` })
  t.equal(code, 2)
  t.match(stderr, /^DATABASE_URL must be file:PATH, .*\n$/)
  t.notMatch(stderr, SECRET)
})

/** Runs the service to an end that it comes to by itself, where it leaves nothing behind. */
function start(t: Test, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [SERVER], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return outcome(child)
}

/** The URL of the server that the tests share, with other parts. */
function altered(parts: Partial<URL>, url = process.env.TEST_POSTGRES_URL): string {
  return Object.assign(new URL(url as string), parts).href
}

/** The URL of a database that the service has had, and in which somebody ran SQL then. */
async function served(t: Test, sql: string): Promise<string> {
  const url = await postgresDatabase(t)
  const service = await Service.start(t, { DATABASE_URL: url })
  await service.stop()
  await queryOnce(url, sql)
  return url
}

/** The URL of a database for a user who may log in, and no more. */
async function ofAnotherUser(t: Test, url: string): Promise<string> {
  const username = `user_of_${new URL(url).pathname.slice(1)}`
  await queryOnce(url, `CREATE ROLE ${username} LOGIN PASSWORD '${SECRET}'`)
  t.teardown(() => queryOnce(altered({ pathname: '/postgres' }, url), `DROP ROLE ${username}`))
  return altered({ username, password: SECRET }, url)
}
