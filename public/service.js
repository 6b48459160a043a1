const TIMEOUT_MS = 10_000
const KEY = 'employees-key'

/** The service wants a key, or another one. */
export class Refused extends Error {}

/** The key of this tab, or null. */
export function key() {
  return sessionStorage.getItem(KEY)
}

export function keepKey(value) {
  sessionStorage.setItem(KEY, value)
}

export function forgetKey() {
  sessionStorage.removeItem(KEY)
}

/**
 * Asks the service for JSON, with the key of this tab if there is one.
 *
 * @param body what is sent by POST; nothing: it is a GET
 * @throws {Refused} for a 401, and an error with a message for people for all else that is no success;
 *   `problem` of it is what the service says
 */
export async function ask(path, body) {
  const headers = { accept: 'application/json' }
  if (key() !== null) headers.authorization = `Bearer ${key()}`
  const options = { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }
  if (body !== undefined) {
    headers['content-type'] = 'application/json'
    Object.assign(options, { method: 'POST', body: JSON.stringify(body) })
  }
  let answer
  try {
    answer = await fetch(path, options)
  } catch {
    throw new Error('The service cannot be reached')
  }
  if (answer.status === 401) throw new Refused()
  if (answer.ok) return answer.json()
  const problem = await answer.json().catch(() => undefined)
  throw Object.assign(new Error(`The service is away for now (${answer.status})`), { problem })
}
