import { DatabaseError } from 'pg'
import { UnusableDatabase } from '../errors.js'
import { reasonOf } from './connection.js'
import { ConnectionLost, NotPrimary } from './errors.js'
import type { Host } from './hosts.js'

const OF_URL = 'cannot be used as the URL says: see its options, and docs/postgresql.md'

/** What a server will say the next time, too, by the beginning of its SQLSTATE. */
const OF_SERVER: [code: string, says: string][] = [
  ['28', 'does not let this user in: name another user or password, or see its pg_hba.conf'],
  ['3D000', 'has no such database: make it with ENCODING UTF8, or name another one'],
  [
    '42501',
    'does not let this user do what it needs: let the owner of the tables run "npm run migrate -- --grant ROLE", see docs/postgresql.md',
  ],
  ['3F000', 'has no schema for the tables: make one of its search_path, or change that'],
  ['42704', OF_URL],
  ['22023', OF_URL],
]

/** What the system or TLS will say the next time, too. */
const OF_SYSTEM = /^(?:ERR_TLS_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/
/** What the driver will. */
const OF_DRIVER = /does not support SSL/
/** What it says where a password is asked for, and there is none. */
const NO_PASSWORD = /password must be/

/** Why a host is not the primary, in a line that says what to do, and that names no password. */
export function explained(error: unknown, { name, config }: Host): Error {
  if (error instanceof UnusableDatabase) return new UnusableDatabase(`${name}: ${error.message}`)
  if (error instanceof NotPrimary || error instanceof ConnectionLost) return error
  if (error instanceof DatabaseError) {
    const [, says] = OF_SERVER.find(([prefix]) => error.code?.startsWith(prefix)) ?? []
    return says === undefined
      ? new Error(`${error.code} ${error.message}`, { cause: error })
      : new UnusableDatabase(`${name} ${says.replace('ROLE', roleOf(config))} (${error.message})`, {
          cause: error,
        })
  }
  const reason = reasonOf(error)
  const { message } = error as Error
  if (reason === 'ENOTFOUND') {
    return new UnusableDatabase(
      `there is no host ${config.host}: name another, or see the DNS (${reason})`,
    )
  }
  if (NO_PASSWORD.test(message)) {
    return new UnusableDatabase(
      `${name} asks for a password, and the URL has none: write USER:PASSWORD@ in front of the host`,
    )
  }
  return OF_SYSTEM.test(reason) || OF_DRIVER.test(message)
    ? new UnusableDatabase(`${name} ${OF_URL} (${message})`)
    : new Error(reason)
}

/** As a shell takes it. */
function roleOf({ user = '' }: Host['config']): string {
  return /^\w+$/.test(user) ? user : 'ROLE'
}
