import type { ClientConfig } from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import { assertOptions } from './url-options.js'

/** A server that a URL names, and how to connect to it. */
export class Host {
  /** `host:port`, for people. */
  readonly name: string
  /** Private, since it has the password: nothing that shows a host may show that. */
  readonly #config: ClientConfig

  constructor(name: string, config: ClientConfig) {
    this.name = name
    this.#config = config
  }

  get config(): ClientConfig {
    return this.#config
  }
}

// An @ further behind would be of a password that is not encoded, and what is shown of a host a part of it.
const URL_PARTS = /^(postgres(?:ql)?:\/\/)((?:[^@/?#]*@)?)([^@/?#]*)((?:\/[^@?#]*)?(?:\?[^@#]*)?)$/s
const NO_ESCAPE = /%(?![0-9a-f]{2})/i
const PORT = 5432

const SHAPE = 'write postgres://USER:PASSWORD@HOST:PORT/DATABASE'
const NO_URL = `it is no URL: ${SHAPE}, where special characters of a password are percent-encoded`

/**
 * The servers of a URL like `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?sslmode=verify-full`, as
 * libpq has them (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS).
 *
 * @throws an error that says what is wrong, without the URL
 */
export function hostsOf(url: string): Host[] {
  const [, scheme, login, hosts, rest = ''] = URL_PARTS.exec(url) ?? []
  if (scheme === undefined || hosts === undefined || NO_ESCAPE.test(url)) throw new Error(NO_URL)
  if (hosts === '') throw new Error(`it names no host: ${SHAPE}`)
  if (!/^\/[^?]/.test(rest)) throw new Error(`it names no database: ${SHAPE}`)
  assertOptions(rest.replace(/^[^?]*\??/, ''))
  return hosts.split(',').map((each) => {
    const config = parsed(`${scheme}${login}${each}${withExplicitTls(rest)}`)
    const { host, port = PORT } = config
    if (!host) throw new Error('a host is missing between its commas')
    return new Host(`${host}:${port}`, config)
  })
}

/** The driver takes these for verify-full, and says in many lines that it will not for ever. */
function withExplicitTls(rest: string): string {
  if (/[?&]uselibpqcompat=true(?:&|$)/.test(rest)) return rest
  return rest.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full')
}

function parsed(url: string): ClientConfig {
  try {
    return parseIntoClientConfig(url)
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    throw new Error(path === undefined ? NO_URL : `${path} cannot be read (${code})`)
  }
}
