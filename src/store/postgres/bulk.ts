import type { Bulk, Key } from '../bulk.js'
import type { NewEmployee } from '../store.js'
import { LongTransaction } from './long-transaction.js'
import type { Primary } from './primary.js'
import { PostgresStaging } from './staging.js'

/** What the tools do with a PostgreSQL database. */
export class PostgresBulk implements Bulk {
  readonly #primary: Primary

  constructor(primary: Primary) {
    this.#primary = primary
  }

  async count(): Promise<number> {
    const transaction = await LongTransaction.open(this.#primary)
    try {
      const { rows } = await transaction.query<{ count: number }>('SELECT count(*) FROM employees')
      return rows[0]?.count as number
    } finally {
      await transaction.close()
    }
  }

  async load(rows: Iterable<NewEmployee>, interrupt?: AbortSignal): Promise<number> {
    const staging = await this.append(interrupt)
    try {
      let line = 0
      for (const { name, salary, department } of rows) {
        const sent = staging.add({ line: ++line, name, salary, department })
        if (sent) await sent
      }
      await staging.begin()
      const { created } = await staging.write()
      await staging.commit()
      return created
    } finally {
      await staging.close()
    }
  }

  append(interrupt?: AbortSignal): Promise<PostgresStaging> {
    return PostgresStaging.open(this.#primary, undefined, interrupt)
  }

  update(key: Key, interrupt?: AbortSignal): Promise<PostgresStaging> {
    return PostgresStaging.open(this.#primary, key, interrupt)
  }
}
