import { createKey, parseKeys } from '../../src/auth/api-keys.js'

const reader = createKey('reader', 'read')
const writer = createKey('writer', 'write')

/** What a service with a key of each role is configured with. */
export const entries = `${reader.entry},${writer.entry}`
export const apiKeys = parseKeys(entries)

/** The keys themselves, and the headers that show them. */
export const readKey = reader.key
export const writeKey = writer.key
export const read = { authorization: `Bearer ${reader.key}` }
export const write = { authorization: `Bearer ${writer.key}` }
