import { DatabaseError } from 'pg'
import { UnusableDatabase } from '../errors.js'
import { reasonOf } from './connection.js'
import { ConnectionLost, NotPrimary } from './errors.js'
import type { Host } from './hosts.js'

/** What a server will say the next time, too, by the beginning of its SQLSTATE. */
const OF_SERVER: [code: string, says: string][] = [
  ['28', 'does not let this user in: name another user or password, or see its pg_hba.conf'],
  ['3D000', 'has no such database: make it with ENCODING UTF8, or name another one'],
  ['42501', 'does not let this user do what it needs: GRANT it, see docs/postgresql.md'],
]

/** What the system or TLS will say the next time, too. */
const OF_SYSTEM = /^(?:ENOTFOUND|ERR_TLS_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/

/** Why a host is not the primary, in a line that says what to do, and that names no password. */
export function explained(error: unknown, { name }: Host): Error {
  if (error instanceof UnusableDatabase) return new UnusableDatabase(`${name}: ${error.message}`)
  if (error instanceof NotPrimary || error instanceof ConnectionLost) return error
  if (error instanceof DatabaseError) {
    const [, says] = OF_SERVER.find(([prefix]) => error.code?.startsWith(prefix)) ?? []
    return says === undefined
      ? new Error(`${error.code} ${error.message}`, { cause: error })
      : new UnusableDatabase(`${name} ${says} (${error.message})`)
  }
  const reason = reasonOf(error)
  const { message } = error as Error
  return OF_SYSTEM.test(reason) || message.includes('does not support SSL')
    ? new UnusableDatabase(`${name} cannot be used as the URL says (${message})`)
    : new Error(reason)
}
