// slow: each command is a process
import type { ChildProcess } from 'node:child_process'
import t from 'tap'
import { WRITERS_LOCK } from '../../../src/store/postgres/dialect.js'
import { LongTransaction } from '../../../src/store/postgres/long-transaction.js'
import { openPostgres } from '../../support/open-postgres.js'
import { outcome } from '../../support/outcome.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { openShell, type Shell } from '../../support/shell.js'
import { until } from '../../support/until.js'
import { Workplace } from '../../support/workplace.js'

const HEADER = 'name,salary,department\n'

t.test('an import waits for those who write, as often as it takes', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
  const shell = await work.shell()
  const writer = await openShell(t, work.databaseUrl)
  await writer.run(`BEGIN; SELECT pg_advisory_xact_lock(${WRITERS_LOCK})`)
  const ended = outcome(work.start('import', path))
  // No attempt stands in the way of others for long.
  const attempts = new Set<number>()
  await until(async () => {
    for (const { began } of await waiting(shell)) attempts.add(began)
    return attempts.size > 1
  })
  await writer.run(
    "INSERT INTO employees (name, salary, department) VALUES ('Bob', 2, 'E'); COMMIT",
  )
  t.match(await ended, { code: 0, stdout: 'imported 1 in ' })
  t.same(await work.employees(), [
    ['Bob', 2, 'E'],
    ['Ada', 1, 'E'],
  ])
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal} while it waits, or while all is written, leaves nothing`, async (t) => {
    const work = await Workplace.create(t)
    const path = await work.file('people.csv', HEADER + 'Ada,1,E\n'.repeat(5000))
    const shell = await work.shell()
    const writer = await openShell(t, work.databaseUrl)
    await writer.run(`BEGIN; SELECT pg_advisory_xact_lock(${WRITERS_LOCK})`)
    const child = work.start('import', path)
    const ended = outcome(child)
    await until(async () => (await waiting(shell)).length === 1)
    child.kill(signal)
    const { code, stdout, stderr } = await ended
    t.same({ code, stdout }, { code: exitCode, stdout: '' })
    t.match(stderr, /Stopped: nothing was imported\n$/)
    await writer.run('ROLLBACK')

    const stop = (child: ChildProcess) => child.kill(signal)
    const late = await work.runUntil('Importing 5,000 rows at once', stop, 'import', path)
    t.match(late, { code: exitCode, stdout: '', stderr: 'Stopped: nothing was imported\n' })
    t.same(await work.employees(), [])
  })
}

t.test('one that is killed while all is written keeps nobody waiting', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
  const shell = await work.shell()
  await shell.run(`CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(3600); RETURN new; END $$;
    CREATE TRIGGER linger BEFORE INSERT ON employees FOR EACH ROW EXECUTE FUNCTION linger()`)
  const child = work.start('import', path)
  const ended = outcome(child)
  await until(async () => {
    const rows = await shell.all("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    return rows.length > 0
  })
  child.kill('SIGKILL')
  await ended
  await shell.run(`BEGIN; SELECT pg_advisory_xact_lock(${WRITERS_LOCK}); COMMIT`)
  t.same(await work.employees(), [])
})

t.test('a connection that is lost in the commit leaves it open whether it was done', async (t) => {
  const work = await Workplace.create(t)
  const path = await work.file('people.csv', `${HEADER}Ada,1,E\n`)
  const shell = await work.shell()
  await shell.run(`CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER leave AFTER INSERT ON employees DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION leave()`)
  const { code, stdout, stderr } = await work.run('import', path)
  t.match(
    stderr,
    /\nThe database was lost while it kept this \(57P01\): it was done, or it was not; look before you do it again\n$/,
  )
  t.equal(stdout, '')
  t.equal(code, 1)
})

t.test('ids go on behind those that were given by hand', async (t) => {
  const work = await Workplace.create(t)
  const shell = await work.shell()
  await shell.run("INSERT INTO employees VALUES (1, 'Ada', 1, 'E'), (7, 'Bob', 1, 'E')")
  t.equal((await work.run('generate', '--employees', '2')).code, 0)
  t.same(
    await shell.all('SELECT id FROM employees ORDER BY id'),
    [1, 7, 8, 9].map((id) => ({ id })),
  )
})

t.test('the planner knows of those who were added, before autovacuum comes', async (t) => {
  const work = await Workplace.create(t)
  const shell = await work.shell()
  t.equal((await work.run('generate', '--employees', '5000')).code, 0)
  const [table] = await shell.all("SELECT reltuples FROM pg_class WHERE relname = 'employees'")
  t.same(table, { reltuples: 5000 })
})

t.test('a limit of time that somebody has set for others is none for it', async (t) => {
  const url = await postgresDatabase(t)
  const shell = await openShell(t, url)
  const [row] = await shell.all<{ name: string }>('SELECT current_database() AS name')
  await shell.run(`ALTER DATABASE ${row?.name} SET statement_timeout = '1min'`)
  const { primary } = await openPostgres(t, url)
  const transaction = await LongTransaction.open(primary)
  t.teardown(() => transaction.close())
  const { rows } = await transaction.query('SHOW statement_timeout')
  t.same(rows, [{ statement_timeout: '0' }])
})

/** Those who wait for the writers' lock, by when their transaction began. */
function waiting(shell: Shell): Promise<{ began: number }[]> {
  return shell.all(
    `SELECT extract(epoch FROM xact_start)::double precision AS began
     FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND objid = ${WRITERS_LOCK} AND NOT granted AND datname = current_database()`,
  )
}
