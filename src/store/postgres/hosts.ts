import type { ClientConfig } from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'

/** A server that a URL names, and how to connect to it. */
export interface Host {
  /** `host:port`, for people. */
  name: string
  config: ClientConfig
}

const URL_PARTS = /^(postgres(?:ql)?:\/\/)((?:[^@/?#]*@)?)([^@/?#]*)((?:\/[^?#]*)?(?:\?.*)?)$/s
const PORT = 5432

/**
 * The servers of a URL like `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?sslmode=verify-full`, as
 * libpq has them (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS).
 *
 * @throws an error that says what is wrong, without the URL
 */
export function hostsOf(url: string): Host[] {
  const [, scheme, login, hosts, rest] = URL_PARTS.exec(url) ?? []
  if (scheme === undefined || !hosts) throw new Error('it names no host')
  return hosts.split(',').map((each) => {
    const config = parsed(`${scheme}${login}${each}${rest}`)
    const { host, port = PORT, database } = config
    if (!host) throw new Error('a host is missing between its commas')
    if (!database) throw new Error('it names no database')
    return { name: `${host}:${port}`, config }
  })
}

function parsed(url: string): ClientConfig {
  try {
    return parseIntoClientConfig(url)
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (path !== undefined) throw new Error(`${path} cannot be read (${code})`)
    throw new Error('it is no URL: a password must be percent-encoded, for instance')
  }
}
