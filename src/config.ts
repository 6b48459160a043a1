import { readFileSync } from 'node:fs'
import { FormatRegistry, type Static, Type } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { parseHosts } from './auth/allowed-hosts.js'
import { parseKeys } from './auth/api-keys.js'
import { isLoopback } from './auth/loopback.js'
import { parseProxies } from './auth/trusted-proxies.js'
import { readRedisTls } from './cache/redis-tls.js'
import { parseRedisUrl, REDIS_URL_FORMS } from './cache/redis-url.js'
import { type ConnectionLimits, connectionLimits } from './connection-limits.js'
import { TRACING_VARIABLES, tracingOf } from './tracing/variables.js'

const LogLevel = Type.Union(
  (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) =>
    Type.Literal(level),
  ),
)

FormatRegistry.Set('origins', (text) => listed(text).every(isOrigin))
FormatRegistry.Set('redis-url', (text) => parseRedisUrl(text) !== undefined)

const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'a host name or an IP address' }),
  PORT: Type.Integer({
    default: 3000,
    minimum: 0,
    maximum: 65535,
    description: 'an integer from 0 to 65535',
  }),
  DATABASE_URL: Type.String({
    default: 'file:data/employees.db',
    pattern: '^(?:file:|postgres(?:ql)?://).',
    description:
      'file:PATH, file::memory:, or postgres://USER:PASSWORD@HOST:PORT/DATABASE, where several HOST:PORT may stand with commas between',
  }),
  DATABASE_LEASE_MS: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60_000,
      description:
        'an integer from 100 to 60000, the milliseconds for which a PostgreSQL server is trusted to be the primary still; or 0 to have it prove that each time; 1000 where DATABASE_URL names several hosts',
    }),
  ),
  VIEW_MAX_STALENESS_MS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 60_000,
    description:
      'an integer from 0 to 60000, the milliseconds by which an answer of a view may lag behind writes of other processes over PostgreSQL',
  }),
  REDIS_URL: Type.Optional(Type.String({ format: 'redis-url', description: REDIS_URL_FORMS })),
  REDIS_TLS_CA_FILE: Type.Optional(
    Type.String({
      description:
        'the path of the certificates, in PEM, by which those of Redis must be signed; unset, by an authority that Node knows',
    }),
  ),
  REDIS_TLS_CERT_FILE: Type.Optional(
    Type.String({
      description: 'the path of the certificate, in PEM, that a Redis may ask of this service',
    }),
  ),
  REDIS_TLS_KEY_FILE: Type.Optional(
    Type.String({ description: 'the path of its key, in PEM and without a password' }),
  ),
  API_KEYS: Type.Optional(
    Type.String({ description: 'NAME:ROLE:SHA256 of each key, separated by commas' }),
  ),
  API_KEYS_FILE: Type.Optional(
    Type.String({ description: 'the path of a file with such entries, one on a line' }),
  ),
  ALLOW_ANONYMOUS: Type.Union([Type.Literal('true'), Type.Literal('false')], {
    default: 'false',
    description:
      'true or false: without keys, may other machines reach the service? Then ALLOWED_HOSTS says by which names',
  }),
  ALLOWED_HOSTS: Type.Optional(
    Type.String({
      description:
        'host names or IP addresses, separated by commas, that requests may name in Host, beside localhost and loopback addresses; unset, any with keys, and no other without keys',
    }),
  ),
  TRUST_PROXY: Type.Optional(
    Type.String({
      description:
        'whose X-Forwarded-For is believed: IP addresses and networks (CIDR), separated by commas; or, where nobody gets past the proxies, their number, or true for all',
    }),
  ),
  RATE_LIMIT_PER_MINUTE: Type.Optional(
    Type.Integer({ minimum: 1, description: 'an integer from 1, the requests of a client' }),
  ),
  MAX_CONNECTIONS: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'an integer from 1, the clients connected to a process at once',
    }),
  ),
  MAX_CONNECTIONS_PER_ADDRESS: Type.Optional(
    Type.Integer({ minimum: 1, description: 'an integer from 1, those of one address' }),
  ),
  CORS_ORIGINS: Type.Optional(
    Type.String({
      format: 'origins',
      description: 'origins like https://app.example.com, separated by commas, and never *',
    }),
  ),
  CACHE_TTL_SECONDS: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 31_536_000,
    description: 'an integer from 1 to 31536000 (a year)',
  }),
  COMPRESSION: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'on',
    description: 'on or off: are answers compressed for clients that ask for it?',
  }),
  SERVER_TIMING: Type.Union([Type.Literal('true'), Type.Literal('false')], {
    default: 'false',
    description: 'true or false: do answers say in Server-Timing what they waited for?',
  }),
  WEB_CONCURRENCY: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 256,
    description: 'an integer from 1 to 256',
  }),
  ...TRACING_VARIABLES,
  LOG_LEVEL: Type.Unsafe<Static<typeof LogLevel>>({
    ...LogLevel,
    default: 'info',
    description: 'one of fatal, error, warn, info, debug, trace, silent',
  }),
})

/** Thrown by {@link readConfig}; the message has a line for each variable that is wrong. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

export type Config = ReturnType<typeof readConfig>

/**
 * Reads the whole configuration from environment variables. A variable that is set to nothing counts
 * as unset, but for keys: those were meant to be there, and the service must not be open without.
 *
 * @throws {ConfigError} that names each bad variable, its value and the rule
 */
export function readConfig(env: Record<string, string | undefined>) {
  const given: Record<string, unknown> = {}
  for (const name of Object.keys(Environment.properties)) {
    const text = env[name]
    if (text === '' && name.startsWith('API_KEYS')) {
      throw new ConfigError(`${name} is empty: set it, or unset it to do without keys`)
    }
    if (text === undefined || text === '') continue
    given[name] = isInteger(name) && /^-?\d+$/.test(text) ? Number(text) : text
  }
  const values = Value.Default(Environment, given)
  const errors = [...Value.Errors(Environment, values)]
  if (errors.length > 0) throw new ConfigError(describe(errors))
  const parsed = values as Static<typeof Environment>
  if (parsed.WEB_CONCURRENCY > 1 && parsed.DATABASE_URL === 'file::memory:') {
    throw new ConfigError(
      `DATABASE_URL=file::memory: would give each of WEB_CONCURRENCY=${parsed.WEB_CONCURRENCY} ` +
        'workers a database of its own: set DATABASE_URL=file:PATH, or WEB_CONCURRENCY=1',
    )
  }
  assertFitsDatabase(parsed)
  return {
    host: parsed.HOST,
    port: parsed.PORT,
    /** `file:PATH`, `file::memory:` or `postgres://…` */
    databaseUrl: parsed.DATABASE_URL,
    /** Unset: as many hosts want it. */
    databaseLeaseMs: parsed.DATABASE_LEASE_MS,
    viewMaxStalenessMs: parsed.VIEW_MAX_STALENESS_MS,
    /** Unset: an in-process store takes the place of Redis. */
    redisUrl: parsed.REDIS_URL,
    /** Whom a Redis behind TLS must be signed by, and what it is shown. */
    redisTls: redisTlsOf(parsed),
    /** None: everybody may do everything. */
    apiKeys: keysOf(parsed),
    allowAnonymous: parsed.ALLOW_ANONYMOUS === 'true',
    /** Beside the names of this machine for itself. None: with keys any host may be named. */
    allowedHosts: parse('ALLOWED_HOSTS', parsed.ALLOWED_HOSTS, parseHosts) ?? [],
    /** Whose X-Forwarded-For is believed. */
    trustProxy: parse('TRUST_PROXY', parsed.TRUST_PROXY, parseProxies) ?? false,
    /** Unset: there is no limit. */
    rateLimitPerMinute: parsed.RATE_LIMIT_PER_MINUTE,
    ...connectionLimitsOf(parsed),
    corsOrigins: listed(parsed.CORS_ORIGINS ?? ''),
    cacheTtlSeconds: parsed.CACHE_TTL_SECONDS,
    compression: parsed.COMPRESSION === 'on',
    serverTiming: parsed.SERVER_TIMING === 'true',
    webConcurrency: parsed.WEB_CONCURRENCY,
    /** Who is told of requests; unset: nobody. */
    tracing: tracingOf(parsed),
    serviceName: parsed.OTEL_SERVICE_NAME,
    logLevel: parsed.LOG_LEVEL,
  }
}

/** @throws {ConfigError} for what only PostgreSQL has, and for a lease that no beat could keep */
function assertFitsDatabase(parsed: Static<typeof Environment>): void {
  const { DATABASE_URL, DATABASE_LEASE_MS, VIEW_MAX_STALENESS_MS } = parsed
  if (DATABASE_LEASE_MS !== undefined && DATABASE_LEASE_MS > 0 && DATABASE_LEASE_MS < 100) {
    throw new ConfigError(`DATABASE_LEASE_MS must be 0 or at least 100, not ${DATABASE_LEASE_MS}`)
  }
  if (!DATABASE_URL.startsWith('file:')) return
  const given = { DATABASE_LEASE_MS, VIEW_MAX_STALENESS_MS: VIEW_MAX_STALENESS_MS || undefined }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    throw new ConfigError(
      `${name}=${value} is for PostgreSQL: unset it, or set DATABASE_URL=postgres://… (over SQLite nothing lags)`,
    )
  }
}

/** Value.Convert would make 80 of `80.5` and 1 of `true`. */
function isInteger(name: string): boolean {
  return Environment.properties[name as keyof typeof Environment.properties].type === 'integer'
}

/**
 * Refuses to let other machines read salaries by oversight.
 *
 * @throws {ConfigError} that says both ways out
 */
export function assertGuarded({ host, apiKeys, allowAnonymous }: Config): void {
  if (apiKeys.length > 0 || allowAnonymous || isLoopback(host)) return
  throw new ConfigError(
    `HOST=${host} lets other machines read and change salaries, and no keys are configured: set ` +
      'API_KEYS or API_KEYS_FILE ("npm run key -- NAME ROLE" makes a key), or ALLOW_ANONYMOUS=true',
  )
}

/** A line for each variable: its name, what it must be, and what it is when unset. */
export function describeVariables(): string {
  return Object.entries(Environment.properties)
    .map(([name, { description, default: value }]) => {
      return `  ${name.padEnd(34)} ${description} (${value === undefined ? 'unset' : `default ${value}`})`
    })
    .join('\n')
}

function describe(errors: ValueError[]): string {
  const lines = new Map<string, string>()
  for (const { path, value, schema } of errors) {
    const name = path.slice(1)
    const shown = /_(?:URL|ENDPOINT)$/.test(name)
      ? withoutSecret(String(value))
      : JSON.stringify(value)
    lines.set(name, `${name} must be ${schema.description}${shown && `, not ${shown}`}`)
  }
  return [...lines.values()].join('\n')
}

/** In a URL a password stands in front of the last @, or behind a ?; elsewhere it may be behind a colon. */
function withoutSecret(url: string): string {
  const [, scheme, secret = '', rest = ''] = /^([\w+]+:\/\/)(.*@)?([^?#]*)/s.exec(url) ?? []
  if (scheme === undefined) return /[@:]/.test(url) ? '' : JSON.stringify(url)
  return JSON.stringify(`${scheme}${secret && '...@'}${rest}`)
}

function redisTlsOf({ REDIS_URL = '', ...paths }: Static<typeof Environment>) {
  const { REDIS_TLS_CA_FILE, REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE } = paths
  const files = { REDIS_TLS_CA_FILE, REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE }
  try {
    return readRedisTls(files, parseRedisUrl(REDIS_URL)?.isTls ?? false)
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
}

function keysOf({ API_KEYS, API_KEYS_FILE }: Static<typeof Environment>) {
  if (API_KEYS !== undefined && API_KEYS_FILE !== undefined) {
    throw new ConfigError('API_KEYS and API_KEYS_FILE are both set; set one of them')
  }
  return (
    parse('API_KEYS', API_KEYS, parseKeys) ??
    parse('API_KEYS_FILE', API_KEYS_FILE, (path) => parseKeys(readKeys(path))) ??
    []
  )
}

function readKeys(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `cannot read ${path}: name a file that is there and that you may read (${code})`,
    )
  }
}

/** What a variable means, if it is set; an error of its parser gets the variable's name. */
function parse<T>(name: string, text: string | undefined, parser: (text: string) => T) {
  if (text === undefined) return undefined
  try {
    return parser(text)
  } catch (error) {
    throw new ConfigError(`${name}: ${(error as Error).message}`)
  }
}

function connectionLimitsOf(values: Static<typeof Environment>): ConnectionLimits {
  try {
    return connectionLimits(values.MAX_CONNECTIONS, values.MAX_CONNECTIONS_PER_ADDRESS)
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Exactly what a browser sends as Origin (RFC 6454, section 6.2): no path, no default port. */
function isOrigin(text: string): boolean {
  return /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}
