import { createHmac, hash } from 'node:crypto'
import type { NewEmployee } from './store.js'

/** Keys that a client may have within 24 hours. */
export const KEYS_PER_CLIENT = 100_000

/** What is kept of a key: enough to know it again. A key may name what it is for, or whom. */
export function keyHash(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** Of the fields, not of the bytes: the order of a body's fields and its spaces mean nothing. */
export function bodyHash({ name, salary, department }: NewEmployee): Buffer {
  return hash('sha256', JSON.stringify([name, salary, department]), 'buffer')
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
