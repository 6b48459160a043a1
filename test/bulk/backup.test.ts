// slow: each command is a process
// no database: it is of SQLite
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { backUp } from '../../src/store/sqlite/backup.js'
import { build, temporaryDirectory } from '../support/build.js'
import { outcome } from '../support/outcome.js'
import { post } from '../support/requests.js'
import { Service } from '../support/service.js'
import { shownViews } from '../support/shown-views.js'
import { Workplace } from '../support/workplace.js'

const MANY = 100_000

t.test('it is one moment of a database in which others write at each step', async (t) => {
  const { url, client, folder } = await filled(t)
  const file = join(folder, 'backup.db')
  const insert = client.prepare(
    "INSERT INTO employees (name, salary, department) VALUES ('New', 200000, 'Sales')",
  )
  let steps = 0
  const bytes = await backUp(url, file, {
    onProgress() {
      steps++
      insert.run()
      client.pragma('wal_checkpoint(PASSIVE)')
    },
  })
  t.ok(steps > 2, `${steps} steps`)
  t.equal(bytes, statSync(file).size)
  const copy = new Sqlite(file, { readonly: true })
  t.teardown(() => copy.close())
  t.equal(copy.pragma('integrity_check', { simple: true }), 'ok')
  t.equal(count(copy), MANY)
  t.equal(count(client), MANY + steps)
  t.strictSame(
    readdirSync(folder).filter((name) => name.includes('backup')),
    ['backup.db'],
  )
})

t.test('versions in a backup belong to what it shows, while a service writes', async (t) => {
  const { url, client, folder } = await filled(t)
  client.close()
  const service = await Service.start(t, { DATABASE_URL: url })
  const bodies = new Map<string, string>()
  let isDone = false
  const writing = (async () => {
    for (let salary = 200_000; !isDone; salary++) {
      await post(service.url, JSON.stringify({ name: 'Ada', salary, department: 'Sales' }))
      for (const { path } of shownViews) {
        const response = await fetch(service.url + path)
        bodies.set(path + response.headers.get('etag'), await response.text())
      }
    }
  })()
  const file = join(folder, 'backup.db')
  const work = await Workplace.create(t, 'sqlite')
  const { code, stdout, stderr } = await work.runOn(url, 'backup', file)
  isDone = true
  await writing
  t.equal(code, 0, stderr)
  t.match(stdout, /^\S+backup\.db: [\d,]+ KiB, checked, in [\d.]+ s\n$/)

  const app = await build(t, { databaseUrl: `file:${file}` })
  for (const { path } of shownViews) {
    const { headers, body } = await app.inject(path)
    const known = bodies.get(path + headers.etag)
    if (known !== undefined) t.equal(body, known, path)
    else t.comment(`${path}: nobody had asked for it yet`)
  }
  t.equal(await service.stop(), 0)
})

t.test('it is for its owner alone, one file, and starts a service', async (t) => {
  const { folder, file, backup } = await places(t)
  t.match(await backup(file), { code: 0 })
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(
    readdirSync(folder).filter((name) => name.includes('backup')),
    ['backup.db'],
  )
  const app = await build(t, { databaseUrl: `file:${file}` })
  t.equal((await app.inject('/employees/1')).json().name, 'Ada')
})

t.test('what is there stays, unless --force is said', async (t) => {
  const { file, backup } = await places(t)
  writeFileSync(file, 'mine')
  const { code, stderr } = await backup(file)
  t.equal(code, 1)
  t.match(stderr, /^\S+backup\.db is there already: --force replaces it\n$/)
  t.equal(readFileSync(file, 'utf8'), 'mine')
  t.match(await backup(file, '--force'), { code: 0, stderr: '' })
  t.match(readFileSync(file, 'latin1'), /^SQLite format 3/)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('no --force replaces a database in use, or makes what nobody can', async (t) => {
  const { folder, file, database, backup } = await places(t)
  writeFileSync(`${file}-wal`, 'log')
  const content = readFileSync(database)
  for (const [where, says] of [
    [database, /is the database itself/],
    [file, /is a database in use/],
    [folder, /is a directory/],
    [join(folder, 'nowhere', 'backup.db'), /cannot be written/],
  ] as const) {
    const { code, stderr } = await backup(where, '--force')
    t.equal(code, 1, where)
    t.match(stderr, says)
    t.equal(stderr.split('\n').length, 2, 'one line')
  }
  t.ok(content.equals(readFileSync(database)))
  t.notOk(existsSync(file))
})

t.test('what is no database of this service is not copied', async (t) => {
  const { folder, file, work } = await places(t)
  const other = join(folder, 'other.db')
  new Sqlite(other).exec('CREATE TABLE t (x)').close()
  writeFileSync(join(folder, 'text.db'), 'no database at all, but of some length'.repeat(50))
  for (const [name, says] of [
    ['other.db', /is of another program/],
    ['text.db', /is no SQLite database/],
    ['missing.db', /is not there/],
  ] as const) {
    const { code, stderr } = await work.runOn(`file:${join(folder, name)}`, 'backup', file)
    t.equal(code, 1, name)
    t.match(stderr, says)
    t.notOk(existsSync(file))
  }
  t.strictSame(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

t.test('a database that is damaged is no backup', async (t) => {
  const { url, client, folder } = await filled(t)
  client.pragma('wal_checkpoint(TRUNCATE)')
  client.close()
  const path = url.slice('file:'.length)
  const bytes = readFileSync(path)
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 8192)
  writeFileSync(path, bytes)
  const file = join(folder, 'backup.db')
  await t.rejects(backUp(url, file), /damaged|malformed/)
  t.notOk(existsSync(file))
})

t.test('Ctrl-C and SIGTERM leave nothing behind', async (t) => {
  const { url, folder } = await filled(t)
  const file = join(folder, 'backup.db')
  const stop = new AbortController()
  const stopped = backUp(url, file, { interrupt: stop.signal, onProgress: () => stop.abort() })
  await t.rejects(stopped)
  t.strictSame(
    readdirSync(folder).filter((name) => name.includes('backup')),
    [],
  )
})

const SIGNALS_ITSELF = (signal: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { createRequire } from 'node:module'
    const Sqlite = createRequire('${import.meta.url}')('better-sqlite3')
    const { backup } = Sqlite.prototype
    Sqlite.prototype.backup = function (file, { progress }) {
      return backup.call(this, file, {
        progress(pages) {
          process.kill(process.pid, '${signal}')
          progress(pages)
          return 1
        },
      })
    }`)}`

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal} in the midst of it is code ${code}, and says what was kept`, async (t) => {
    const { folder, file, work } = await places(t)
    const stopped = await outcome(work.startWith(SIGNALS_ITSELF(signal), 'backup', file))
    t.match(stopped, { code, stderr: /^Stopped: no backup was written\n$/ })
    t.strictSame(readdirSync(folder), [])
  })
}

t.test('PostgreSQL: it is done by other tools, which it names, and no password', async (t) => {
  const { file, work } = await places(t)
  const { code, stderr } = await work.runOn('postgres://me:do-not-tell@db/x', 'backup', file)
  t.equal(code, 2)
  t.match(stderr, /pg_dump .*"\$DATABASE_URL"/)
  t.match(stderr, /pg_basebackup /)
  t.notMatch(stderr, 'do-not-tell')
})

async function places(t: Test) {
  const work = await Workplace.create(t, 'sqlite')
  const shell = await work.shell()
  await shell.run("INSERT INTO employees (name, salary, department) VALUES ('Ada', 1, 'E')")
  const database = work.databaseUrl.slice('file:'.length)
  const folder = await temporaryDirectory(t)
  const backup = (...parameters: string[]) => work.run('backup', ...parameters)
  return { work, database, folder, file: join(folder, 'backup.db'), backup }
}

/** A database with many employees, and a connection that somebody else has to it. */
async function filled(t: Test) {
  const folder = await temporaryDirectory(t)
  const url = `file:${join(folder, 'employees.db')}`
  await (await build(t, { databaseUrl: url })).close()
  const client = new Sqlite(join(folder, 'employees.db'))
  t.teardown(() => client.close())
  client.exec(`INSERT INTO employees (name, salary, department)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
    SELECT 'Employee number ' || i, i, 'Department ' || (i % 100) FROM n`)
  return { url, client, folder }
}

function count(client: Sqlite.Database): number {
  return client.prepare('SELECT count(*) FROM employees').pluck().get() as number
}
