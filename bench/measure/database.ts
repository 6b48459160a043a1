import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePeople } from '../../src/bulk/people.js'
import { openDatabase } from '../../src/store/open.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'
import { queryOnce } from '../../test/support/postgres-client.js'
import type { PostgresServer } from '../../test/support/postgres-server.js'

const DEPARTMENTS = 100

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
    const original = join(this.#directory, `${employees}.db`)
    if (!this.#made.has(employees)) {
      const { $client } = openSqlite(`file:${original}`)
      await bulkLoad($client, makePeople(employees, DEPARTMENTS, 1))
      $client.close()
      this.#made.add(employees)
    }
    const copy = join(this.#directory, `copy-${++this.#copies}.db`)
    await copyFile(original, copy)
    return `file:${copy}`
  }
}
