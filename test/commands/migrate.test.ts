import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { newDatabase, onPostgres, onSqlite } from '../support/any-database.js'
import { outcome } from '../support/outcome.js'
import { postgresClient } from '../support/postgres-client.js'
import { postgresDatabase } from '../support/postgres-database.js'
import { Service } from '../support/service.js'
import { servingRole } from '../support/serving-role.js'
import { openShell } from '../support/shell.js'

const MIGRATE = fileURLToPath(new URL('../../src/commands/migrate.js', import.meta.url))

function migrate(url: string, ...parameters: string[]) {
  const env = { PATH: process.env.PATH, DATABASE_URL: url }
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  return outcome(spawn(process.execPath, [MIGRATE, ...parameters], { env, stdio: [...stdio] }))
}

t.test('migrate brings the database up to date, and can be repeated', async (t) => {
  const url = await newDatabase(t)
  for (let i = 0; i < 2; i++) {
    const { code, stdout, stderr } = await migrate(url)
    t.equal(code, 0, stderr)
    t.match(stdout, 'The database is up to date')
  }
  const shell = await openShell(t, url)
  t.strictSame(await shell.all('SELECT count(*) AS count FROM employees'), [{ count: 0 }])
})

t.test('SQLite: there are no roles to grant anything to', onSqlite, async (t) => {
  const { code, stderr } = await migrate(await newDatabase(t), '--grant', 'employees')
  t.equal(code, 2)
  t.match(stderr, /^--grant is for PostgreSQL: /)
})

t.test('PostgreSQL: a role that owns nothing cannot serve before it may', onPostgres, async (t) => {
  const serving = await servingRole(t, await postgresDatabase(t))
  await t.rejects(Service.start(t, { DATABASE_URL: serving }), /ended before it listened/)
})

t.test('PostgreSQL: a role serves over the tables of their owner', onPostgres, async (t) => {
  const owners = await postgresDatabase(t)
  const serving = await servingRole(t, owners)
  const { code, stdout, stderr } = await migrate(owners, '--grant', new URL(serving).username)
  t.equal(code, 0, stderr)
  t.match(stdout, /up to date, and serving_\w+ may serve/)

  const service = await Service.start(t, { DATABASE_URL: serving })
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' }
  const ask = (path: string, method: string, body?: object) =>
    fetch(service.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const ada = { name: 'Ada', salary: 120_000, department: 'Engineering' }
  t.equal((await ask('/employees', 'POST', ada)).status, 201)
  t.equal((await ask('/employees/1', 'PUT', { salary: 130_000 })).status, 200)
  t.match(await (await fetch(`${service.url}/employees/high-salary`)).json(), [{ salary: 130_000 }])
  t.equal((await ask('/employees/1', 'DELETE')).status, 200)

  const role = await postgresClient(t, serving)
  for (const statement of [
    'DROP TRIGGER high_salary_emps_insert ON employees',
    'ALTER TABLE employees DISABLE TRIGGER ALL',
    'DELETE FROM secrets',
    'CREATE TABLE more (id int)',
    'TRUNCATE employees',
  ]) {
    await t.rejects(role.query(statement), { code: '42501' }, statement)
  }
  t.equal(await service.stop(), 0)
  t.strictSame(
    service.warnings.filter((line) => !line.includes('No keys')),
    [],
  )
})

t.test('PostgreSQL: nothing is granted to a role that is not there', onPostgres, async (t) => {
  const url = await postgresDatabase(t)
  for (const role of ['nobody_of_tests', 'public', "o'neill"]) {
    const { code, stdout, stderr } = await migrate(url, '--grant', role)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(
      stderr,
      new RegExp(`: there is no role ${role}, written as it is stored: CREATE ROLE ".*\\n$`),
    )
    t.equal(stderr.split('\n').length, 2, 'one line')
  }
})
