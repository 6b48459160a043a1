import { type Static, Type } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'

const LogLevel = Type.Union(
  (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) =>
    Type.Literal(level),
  ),
)

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
    pattern: '^file:.',
    description: 'file:PATH or file::memory:',
  }),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^rediss?://',
      description: 'redis://HOST:PORT or rediss://HOST:PORT',
    }),
  ),
  CACHE_TTL_SECONDS: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 31_536_000,
    description: 'an integer from 1 to 31536000 (a year)',
  }),
  WEB_CONCURRENCY: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 256,
    description: 'an integer from 1 to 256',
  }),
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
 * as unset.
 *
 * @throws {ConfigError} that names each bad variable, its value and the rule
 */
export function readConfig(env: Record<string, string | undefined>) {
  const given: Record<string, unknown> = {}
  for (const name of Object.keys(Environment.properties)) {
    const text = env[name]
    if (text === undefined || text === '') continue
    given[name] = isInteger(name) && /^-?\d+$/.test(text) ? Number(text) : text
  }
  const values = Value.Default(Environment, given)
  const errors = [...Value.Errors(Environment, values)]
  if (errors.length > 0) throw new ConfigError(describe(errors))
  const parsed = values as Static<typeof Environment>
  return {
    host: parsed.HOST,
    port: parsed.PORT,
    /** `file:PATH` or `file::memory:` */
    databaseUrl: parsed.DATABASE_URL,
    /** Unset: an in-process store takes the place of Redis. */
    redisUrl: parsed.REDIS_URL,
    cacheTtlSeconds: parsed.CACHE_TTL_SECONDS,
    webConcurrency: parsed.WEB_CONCURRENCY,
    logLevel: parsed.LOG_LEVEL,
  }
}

/** Value.Convert would make 80 of `80.5` and 1 of `true`. */
function isInteger(name: string): boolean {
  return Environment.properties[name as keyof typeof Environment.properties].type === 'integer'
}

/** A line for each variable: its name, what it must be, and what it is when unset. */
export function describeVariables(): string {
  return Object.entries(Environment.properties)
    .map(([name, { description, default: value }]) => {
      return `  ${name.padEnd(18)} ${description} (${value === undefined ? 'unset' : `default ${value}`})`
    })
    .join('\n')
}

function describe(errors: ValueError[]): string {
  const lines = new Map<string, string>()
  for (const { path, value, schema } of errors) {
    const name = path.slice(1)
    // A URL may carry a password, so its value is not repeated.
    const got = name.endsWith('_URL') ? '' : `, not ${JSON.stringify(value)}`
    lines.set(name, `${name} must be ${schema.description}${got}`)
  }
  return [...lines.values()].join('\n')
}
