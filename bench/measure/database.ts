import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePeople } from '../../src/bulk/people.js'
import { bulkLoad } from '../../src/store/sqlite/bulk-load.js'
import { openSqlite } from '../../src/store/sqlite/open.js'

const DEPARTMENTS = 100

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
