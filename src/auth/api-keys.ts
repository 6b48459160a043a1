import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export const ROLES = ['read', 'write'] as const
/** `read`: the safe methods (RFC 9110, section 9.2.1); `write`: everything. */
export type Role = (typeof ROLES)[number]

/** What the service knows of a key: never the key itself. */
export interface ApiKey {
  name: string
  role: Role
  digest: Buffer
}

const NAME = /^[\w.-]{1,64}$/
const SHA256 = /^[0-9a-f]{64}$/i

/** What a client shows: RFC 6750, section 2.1; the scheme's case does not matter. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i

/**
 * Parses entries `name:role:sha256-hex-of-key`, separated by commas or line ends; `#` starts a
 * comment.
 *
 * @throws {Error} that says which entry is wrong, and never shows it: it may be a key by mistake
 */
export function parseKeys(text: string): ApiKey[] {
  const entries = text
    .replaceAll(/#.*/g, '')
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  // Keys were meant to be there: without this, an emptied file would open the service.
  if (entries.length === 0) throw new Error('has no key')
  const keys = entries.map(parseEntry)
  if (new Set(keys.map(({ name }) => name)).size < keys.length) {
    throw new Error('gives two keys the same name')
  }
  const names = new Map<string, string>()
  for (const { name, digest } of keys) {
    const other = names.get(digest.toString('hex'))
    if (other !== undefined) throw new Error(`${other} and ${name} are the same key`)
    names.set(digest.toString('hex'), name)
  }
  return keys
}

function parseEntry(entry: string, index: number): ApiKey {
  const [name = '', role = '', digest = '', ...rest] = entry.split(':')
  if (!(NAME.test(name) && isRole(role) && SHA256.test(digest) && rest.length === 0)) {
    throw new Error(
      `entry ${index + 1} is not NAME:read:SHA256 or NAME:write:SHA256; "npm run key -- NAME ROLE" makes one`,
    )
  }
  return { name, role, digest: Buffer.from(digest, 'hex') }
}

export function isKeyName(name: string): boolean {
  return NAME.test(name)
}

function isRole(role: string): role is Role {
  return ROLES.includes(role as Role)
}

/**
 * The key that an Authorization header shows, if it is one of these. Digests are compared in constant
 * time, and with all keys, so that the time tells nothing.
 */
export function findKey(keys: ApiKey[], authorization: string | undefined): ApiKey | undefined {
  const shown = BEARER.exec(authorization ?? '')?.[1]
  if (shown === undefined) return undefined
  const digest = sha256(shown)
  let found: ApiKey | undefined
  for (const key of keys) if (timingSafeEqual(digest, key.digest)) found = key
  return found
}

/**
 * Makes a key, and the entry to configure it by. 256 random bits cannot be guessed from their digest,
 * so that it needs no salt and no slow hash.
 */
export function createKey(name: string, role: Role): { key: string; entry: string } {
  const key = `emp_${randomBytes(32).toString('base64url')}`
  return { key, entry: `${name}:${role}:${sha256(key).toString('hex')}` }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
