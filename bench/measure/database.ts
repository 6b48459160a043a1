import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Sqlite from 'better-sqlite3'
import { makePeople } from '../../src/bulk/people.js'
import { openDatabase } from '../../src/store/open.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import { queryOnce } from '../../test/support/postgres-client.js'
import type { PostgresServer } from '../../test/support/postgres-server.js'

const run = promisify(execFile)

const DEPARTMENTS = 100
/** Where the ranking is asked for while it changes: as many parts as a company has. */
const FEW_DEPARTMENTS = 10

const PLAIN = `
  CREATE TABLE employees (
    id integer PRIMARY KEY AUTOINCREMENT,
    name text NOT NULL,
    salary real NOT NULL,
    department text NOT NULL
  );
  INSERT INTO employees SELECT id, name, salary, department FROM original.employees;
  CREATE INDEX employees_by_salary ON employees (salary);
  CREATE INDEX employees_by_department_salary ON employees (department, salary DESC);
  DETACH original;`

const THIS = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Makes up employees in a new database, by the tool of a release, so that the database is as that one makes
 * it.
 *
 * @param checkout a built one, whose code and Node are used in place of these
 */
export async function generate(url: string, employees: number, checkout?: string): Promise<void> {
  const node = checkout ? join(checkout, 'node_modules/.bin/node') : process.execPath
  const tool = join(checkout ?? THIS, 'dist/src/bulk/generate.js')
  const options = ['--employees', `${employees}`, '--departments', `${FEW_DEPARTMENTS}`]
  await run(node, [tool, ...options], { env: { PATH: process.env.PATH, DATABASE_URL: url } })
}

/** A database of made-up employees on a PostgreSQL server; its URL. */
export async function createPostgres(server: PostgresServer, employees: number): Promise<string> {
  const url = await server.createDatabase()
  const database = await openDatabase(url)
  const store = database.createStore({})
  await store.employees.createMany(makePeople(employees, DEPARTMENTS, 1))
  await store.close()
  await database.close()
  // As it does by itself after a while.
  await queryOnce(url, 'ANALYZE')
  return url
}

/** Databases of made-up employees in a directory; each size is generated once, and then copied. */
export class Databases {
  readonly #directory: string
  readonly #made = new Set<number>()
  #copies = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  /** A new database with so many employees, in 100 departments; its URL. */
  async create(employees: number): Promise<string> {
    const copy = this.#newFile()
    await copyFile(await this.#original(employees), copy)
    return `file:${copy}`
  }

  /** The same employees with the indexes that anybody would have, and without what makes the service's views. */
  async createPlain(employees: number): Promise<string> {
    const copy = this.#newFile()
    const client = new Sqlite(copy)
    client.prepare('ATTACH ? AS original').run(await this.#original(employees))
    client.exec(PLAIN)
    client.close()
    return `file:${copy}`
  }

  #newFile(): string {
    return join(this.#directory, `copy-${++this.#copies}.db`)
  }

  async #original(employees: number): Promise<string> {
    const original = join(this.#directory, `${employees}.db`)
    if (!this.#made.has(employees)) {
      const { $client } = openSqlite(`file:${original}`)
      await bulkLoad($client, makePeople(employees, DEPARTMENTS, 1))
      $client.close()
      this.#made.add(employees)
    }
    return original
  }
}
