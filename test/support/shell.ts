import Sqlite from 'better-sqlite3'
import { types } from 'pg'
import type { Dialect } from '../../drizzle/define-view.js'
import type { AnyDatabase } from '../../src/store/open.js'
import { postgresClient } from './postgres-client.js'
import type { Scope } from './scope.js'

/** What somebody has who sits at a database, as with sqlite3 or psql. */
export interface Shell {
  dialect: Dialect
  /** The rows of a statement, whose parameters are written `?`. */
  all<Row = Record<string, unknown>>(sql: string, ...values: unknown[]): Promise<Row[]>
  /** Runs statements, one behind the other. */
  run(sql: string): Promise<void>
}

/** A shell on the database that a URL names, which has all migrations; it ends with the test. */
export async function openShell(scope: Scope, url: string): Promise<Shell> {
  if (url.startsWith('postgres')) return postgresShell(scope, url)
  const client = new Sqlite(url.slice('file:'.length), { timeout: 5000 })
  scope.teardown(() => client.close())
  return sqliteShell(client)
}

/** As numbers, what is one in the service: ids and counts. */
const NUMBERS = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === types.builtins.INT8
      ? Number
      : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
}

interface App {
  db: AnyDatabase
  config: { databaseUrl: string }
}

const shells = new WeakMap<App, Promise<Shell>>()

/** The shell of a service that a test has built; for SQLite on its own connection, since it may be in memory. */
export function shellOf(scope: Scope, app: App): Promise<Shell> {
  const known = shells.get(app)
  if (known) return known
  const shell =
    app.db.dialect === 'sqlite'
      ? Promise.resolve(sqliteShell(app.db.drizzle.$client))
      : postgresShell(scope, app.config.databaseUrl)
  shells.set(app, shell)
  return shell
}

/** A shell on a connection to SQLite that somebody has already. */
export function sqliteShell(client: Sqlite.Database): Shell {
  return {
    dialect: 'sqlite',
    async all<Row>(sql: string, ...values: unknown[]) {
      const statement = client.prepare<unknown[], Row>(sql)
      if (statement.reader) return statement.all(...values)
      statement.run(...values)
      return []
    },
    async run(sql) {
      client.exec(sql)
    },
  }
}

async function postgresShell(scope: Scope, url: string): Promise<Shell> {
  const client = await postgresClient(scope, url)
  return {
    dialect: 'postgres',
    async all<Row>(sql: string, ...values: unknown[]) {
      let number = 0
      const text = sql.replaceAll('?', () => `$${++number}`)
      return (await client.query({ text, values, types: NUMBERS })).rows as Row[]
    },
    async run(sql) {
      await client.query(sql)
    },
  }
}

/** Makes the database refuse whoever has this name. */
export async function refuseEmployee({ dialect, run }: Shell, name: string): Promise<void> {
  const refuse = {
    sqlite: `CREATE TRIGGER refuse BEFORE INSERT ON employees WHEN new.name = '${name}'
      BEGIN SELECT raise(ABORT, 'no'); END`,
    postgres: `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF new.name = '${name}' THEN RAISE 'no'; END IF; RETURN new; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON employees FOR EACH ROW EXECUTE FUNCTION refuse()`,
  }
  await run(refuse[dialect])
}
