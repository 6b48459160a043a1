import { createHmac, hash } from 'node:crypto'
import { DatabaseUnavailable } from './errors.js'
import type { Employee, NewEmployee } from './store.js'

/** Keys that a client may have within 24 hours. */
export const KEYS_PER_CLIENT = 100_000

/** What is kept of a key: enough to know it again. A key may name what it is for, or whom. */
export function keyHash(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** Of the fields, not of the bytes: the order of a body's fields and its spaces mean nothing. */
export function bodyHash(employee: NewEmployee): Buffer {
  return hash('sha256', JSON.stringify(fieldsOf(employee)), 'buffer')
}

/** As `bodyHash`, of an array: never that of a single one, be it the only one in it. */
export function bodyHashOfAll(employees: readonly NewEmployee[]): Buffer {
  return hash('sha256', JSON.stringify(employees.map(fieldsOf)), 'buffer')
}

function fieldsOf({ name, salary, department }: NewEmployee) {
  return [name, salary, department]
}

/**
 * The first id of several, which is all that is kept of them: those behind it follow each other.
 *
 * @throws {DatabaseUnavailable} if they do not, since somebody has taken one by hand meanwhile
 */
export function firstOf(ids: readonly number[]): number {
  const first = ids[0] as number
  if (ids.some((id, index) => id !== first + index)) {
    throw new DatabaseUnavailable('somebody else takes ids')
  }
  return first
}

/** What a request has created whose first employee got this id. */
export function numbered(first: number, employees: readonly NewEmployee[]): Employee[] {
  return employees.map(({ name, salary, department }, index) => {
    return { id: first + index, name, salary, department }
  })
}

/**
 * What is kept of a body. Its hash would tell a salary to whoever tries them all, so the digest needs
 * the secret of the database; and as that is in the same file, the key, which is not: who has all of
 * the file, and a client's keys are random, still cannot try.
 */
export function bodyDigest(secret: Buffer, key: string, bodyHash: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${key}\n`).update(bodyHash).digest()
}

/** By their names in the migration that brings over what was kept as text. */
export const migrationFunctions = { key_hash: keyHash, body_digest: bodyDigest }
