import { createHash } from 'node:crypto'
import type { Employee } from './store.js'

/** What is kept of a request with an idempotency key, as both databases keep it. */
export interface KeptKey {
  client: string
  /** Its hash. */
  key: Buffer
  /** Of the body, by the secret of the database. */
  digest: Buffer
  employeeId: number
  /** Unix time in seconds. */
  createdAt: number
  /** Counts on with each key of a client. */
  number: number
}

/** What a database has of employees and idempotency keys: how many, and a sum over all of them in order. */
export interface Summary {
  employees: number
  keys: number
  sha256: string
}

/** Summarizes rows as they are read, the employees in front. */
export class Summing {
  readonly #hash = createHash('sha256')
  #employees = 0
  #keys = 0

  employee({ id, name, salary, department }: Employee): void {
    this.#employees++
    this.#line([id, name, salary, department])
  }

  key({ client, key, digest, employeeId, createdAt, number }: KeptKey): void {
    this.#keys++
    const hex = [key.toString('hex'), digest.toString('hex')]
    this.#line([client, ...hex, employeeId, createdAt, number])
  }

  end(): Summary {
    return { employees: this.#employees, keys: this.#keys, sha256: this.#hash.digest('hex') }
  }

  /** JSON tells apart any two texts, and any two numbers to the last bit. */
  #line(values: (string | number)[]): void {
    this.#hash.update(`${JSON.stringify(values)}\n`)
  }
}
