// no database: it reads variables
import t from 'tap'
import { ConfigError, readConfig } from '../src/config.js'
import { connectionLimits } from '../src/connection-limits.js'
import { Authority, readCertificates } from './support/certificates.js'
import { apiKeys, entries } from './support/keys.js'

const defaults = {
  host: '127.0.0.1',
  port: 3000,
  databaseUrl: 'file:data/employees.db',
  databaseLeaseMs: undefined,
  viewMaxStalenessMs: 0,
  redisUrl: undefined,
  redisTls: { ca: undefined, cert: undefined, key: undefined },
  apiKeys: [],
  allowAnonymous: false,
  allowedHosts: [],
  trustProxy: false,
  rateLimitPerMinute: undefined,
  // What this machine allows, see test/connection-limits.test.ts.
  ...connectionLimits(undefined, undefined),
  corsOrigins: [],
  cacheTtlSeconds: 300,
  compression: true,
  serverTiming: false,
  webConcurrency: 1,
  tracing: undefined,
  serviceName: 'employees',
  logLevel: 'info',
}

t.test('without any variable the service runs on a laptop', async (t) => {
  t.strictSame(readConfig({}), defaults)
})

t.test('a variable that is set to nothing counts as unset, but for keys', async (t) => {
  const names = [
    'HOST',
    'PORT',
    'DATABASE_URL',
    'DATABASE_LEASE_MS',
    'VIEW_MAX_STALENESS_MS',
    'REDIS_URL',
    'REDIS_TLS_CA_FILE',
    'REDIS_TLS_CERT_FILE',
    'REDIS_TLS_KEY_FILE',
    'ALLOW_ANONYMOUS',
    'ALLOWED_HOSTS',
    'TRUST_PROXY',
    'RATE_LIMIT_PER_MINUTE',
    'MAX_CONNECTIONS',
    'MAX_CONNECTIONS_PER_ADDRESS',
    'CORS_ORIGINS',
    'CACHE_TTL_SECONDS',
    'COMPRESSION',
    'SERVER_TIMING',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    'OTEL_SERVICE_NAME',
    'OTEL_TRACES_SAMPLER',
    'OTEL_TRACES_SAMPLER_ARG',
    'OTEL_BSP_SCHEDULE_DELAY',
    'OTEL_BSP_MAX_QUEUE_SIZE',
    'OTEL_SDK_DISABLED',
    'WEB_CONCURRENCY',
    'LOG_LEVEL',
  ]
  t.strictSame(readConfig(Object.fromEntries(names.map((name) => [name, '']))), defaults)
})

t.test('every variable is read', async (t) => {
  const files = (await Authority.create(t)).issue()
  const env = {
    HOST: '0.0.0.0',
    PORT: '8080',
    DATABASE_URL: 'postgres://db1,db2/people',
    DATABASE_LEASE_MS: '2000',
    VIEW_MAX_STALENESS_MS: '50',
    REDIS_URL: 'rediss://cache.example:6380/1',
    REDIS_TLS_CA_FILE: files.ca,
    REDIS_TLS_CERT_FILE: files.cert,
    REDIS_TLS_KEY_FILE: files.key,
    API_KEYS: entries,
    ALLOW_ANONYMOUS: 'true',
    ALLOWED_HOSTS: 'employees.example',
    TRUST_PROXY: '10.0.0.0/8',
    RATE_LIMIT_PER_MINUTE: '600',
    MAX_CONNECTIONS: '16',
    MAX_CONNECTIONS_PER_ADDRESS: '4',
    CORS_ORIGINS: 'https://app.example',
    CACHE_TTL_SECONDS: '60',
    COMPRESSION: 'off',
    SERVER_TIMING: 'true',
    WEB_CONCURRENCY: '4',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318/',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'staff',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BSP_MAX_QUEUE_SIZE: '10',
    LOG_LEVEL: 'warn',
    PATH: '/usr/bin',
  }
  t.strictSame(readConfig(env), {
    host: '0.0.0.0',
    port: 8080,
    databaseUrl: 'postgres://db1,db2/people',
    databaseLeaseMs: 2000,
    viewMaxStalenessMs: 50,
    redisUrl: 'rediss://cache.example:6380/1',
    redisTls: readCertificates(files),
    apiKeys,
    allowAnonymous: true,
    allowedHosts: ['employees.example'],
    trustProxy: ['10.0.0.0/8'],
    rateLimitPerMinute: 600,
    maxConnections: 16,
    maxConnectionsPerAddress: 4,
    corsOrigins: ['https://app.example'],
    cacheTtlSeconds: 60,
    compression: false,
    serverTiming: true,
    webConcurrency: 4,
    tracing: {
      url: 'http://collector.example:4318/v1/traces',
      protocol: 'http/json',
      sampler: 'traceidratio',
      ratio: 0.25,
      batchDelayMs: 100,
      maxQueueSize: 10,
    },
    serviceName: 'staff',
    logLevel: 'warn',
  })
})

t.test('the bounds of a number belong to it', async (t) => {
  t.equal(readConfig({ PORT: '0' }).port, 0)
  t.equal(readConfig({ PORT: '65535' }).port, 65535)
  t.equal(readConfig({ CACHE_TTL_SECONDS: '1' }).cacheTtlSeconds, 1)
  t.equal(readConfig({ CACHE_TTL_SECONDS: '31536000' }).cacheTtlSeconds, 31_536_000)
  t.equal(readConfig({ WEB_CONCURRENCY: '256' }).webConcurrency, 256)
})

const port = 'an integer from 0 to 65535'
const bad: [name: string, value: string, rule: string][] = [
  ['PORT', 'http', port],
  ['PORT', '-1', port],
  ['PORT', '65536', port],
  ['PORT', '80.5', port],
  ['PORT', '80a', port],
  ['PORT', '1e3', port],
  ['PORT', 'true', port],
  ['CACHE_TTL_SECONDS', '0', 'an integer from 1 to 31536000'],
  ['CACHE_TTL_SECONDS', '31536001', 'an integer from 1 to 31536000'],
  ['CACHE_TTL_SECONDS', '0.5', 'an integer from 1 to 31536000'],
  ['CACHE_TTL_SECONDS', '5m', 'an integer from 1 to 31536000'],
  ['MAX_CONNECTIONS', '0', 'an integer from 1'],
  ['MAX_CONNECTIONS', 'many', 'an integer from 1'],
  ['MAX_CONNECTIONS_PER_ADDRESS', '0', 'an integer from 1'],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'ftp://collector',
    'http(s)://HOST:PORT of an OpenTelemetry collector',
  ],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'http/protobuf or http/json'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'one of always_on, always_off, traceidratio'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'a number from 0 to 1'],
  ['WEB_CONCURRENCY', '0', 'an integer from 1 to 256'],
  ['WEB_CONCURRENCY', '257', 'an integer from 1 to 256'],
  ['WEB_CONCURRENCY', 'all', 'an integer from 1 to 256'],
  ['LOG_LEVEL', 'loud', 'one of fatal, error, warn, info, debug, trace, silent'],
  ['LOG_LEVEL', 'INFO', 'one of fatal, error, warn, info, debug, trace, silent'],
]

for (const [name, value, rule] of bad) {
  t.test(`${name}=${value} is an error that names it, its value and the rule`, async (t) => {
    const message = messageOf({ [name]: value })
    t.ok(message.startsWith(`${name} must be ${rule}`), message)
    t.match(message, new RegExp(`, not "?${value}"?$`))
    t.notMatch(message, '\n')
  })
}

for (const [variables, rule] of [
  [{ DATABASE_LEASE_MS: '1000' }, /^DATABASE_LEASE_MS=1000 is for PostgreSQL: /],
  [{ COMPRESSION: 'gzip' }, /^COMPRESSION must be on or off: .*, not "gzip"$/],
  [{ VIEW_MAX_STALENESS_MS: '50' }, /^VIEW_MAX_STALENESS_MS=50 is for PostgreSQL: /],
  [
    { DATABASE_URL: 'postgres://db/people', DATABASE_LEASE_MS: '50' },
    /^DATABASE_LEASE_MS must be 0 or at least 100, not 50$/,
  ],
] as const) {
  t.test(`${JSON.stringify(variables)} is an error that says why`, async (t) => {
    t.match(messageOf(variables), rule)
  })
}

for (const [name, values] of [
  [
    'DATABASE_URL',
    {
      'mysql://ada:secret@db/employees': 'mysql://...@db/employees',
      'employees.db': 'employees.db',
      'file:': undefined,
    },
  ],
  [
    'REDIS_URL',
    {
      'http://ada:secret@cache': 'http://...@cache',
      'redis://cache:99999': 'redis://cache:99999',
      'redis://cache:0': 'redis://cache:0',
      'redis://:secret@cache:port': 'redis://...@cache:port',
      // What is special in a password was to be percent-encoded.
      'redis://:sec/ret@cache:6379': 'redis://...@cache:6379',
      'redis://:secret%@cache': 'redis://...@cache',
      'redis://cache/one?password=secret': 'redis://cache/one',
      'redis://': 'redis://',
      'redis://one:1,two:2': 'redis://one:1,two:2',
      // An option of the client could turn off what the service relies on.
      'redis://cache?commandTimeout=60000': 'redis://cache',
      'redis+sentinel://:secret@one:1,two:2': 'redis+sentinel://...@one:1,two:2',
      'redis+sentinel://one:1,two:0/main': 'redis+sentinel://one:1,two:0/main',
      'redis+sentinel://one,two/main/first': 'redis+sentinel://one,two/main/first',
      'redis+sentinel://one/main?sentinelPasword=secret': 'redis+sentinel://one/main',
      'rediss+sentinel://one/ma%in': 'rediss+sentinel://one/ma%in',
      'redis+cluster://one:1,,two:2': 'redis+cluster://one:1,,two:2',
      'redis+cluster://:secret@one:1/2': 'redis+cluster://...@one:1/2',
      'redis+cluster://one?secret': 'redis+cluster://one',
      'redis+ring://:secret@one': 'redis+ring://...@one',
      'cache:secret': undefined,
      'redis:secret': undefined,
    },
  ],
] as const) {
  t.test(`a bad ${name} is shown, but for what may be a password`, async (t) => {
    for (const [value, shown] of Object.entries(values)) {
      const message = messageOf({ [name]: value })
      t.match(message, new RegExp(`^${name} must be (file|redis):`))
      const [, got] = /, not "(.*)"$/.exec(message) ?? []
      t.equal(got, shown, value)
    }
  })
}

t.test(
  'files for TLS to Redis are read at the start, and belong to a URL with rediss',
  async (t) => {
    const { ca, cert, key } = (await Authority.create(t)).issue()
    const other = (await Authority.create(t)).issue()
    const REDIS_URL = 'rediss://cache'
    const wrong: [env: Record<string, string>, says: RegExp][] = [
      [
        { REDIS_TLS_CA_FILE: ca },
        /^REDIS_TLS_CA_FILE is for TLS: set a REDIS_URL that begins with /,
      ],
      [
        { REDIS_TLS_CA_FILE: ca, REDIS_URL: 'redis+cluster://cache' },
        /^REDIS_TLS_CA_FILE is for TLS: /,
      ],
      [
        { REDIS_TLS_CERT_FILE: cert, REDIS_URL },
        /_CERT_FILE and REDIS_TLS_KEY_FILE belong together/,
      ],
      [{ REDIS_TLS_KEY_FILE: key, REDIS_URL }, /_CERT_FILE and REDIS_TLS_KEY_FILE belong together/],
      [
        { REDIS_TLS_CA_FILE: '/dev/null/ca', REDIS_URL },
        /^REDIS_TLS_CA_FILE: cannot read \/dev\/null\/ca: name a file .*\(ENOTDIR\)$/,
      ],
      [{ REDIS_TLS_CA_FILE: key, REDIS_URL }, /^REDIS_TLS_CA_FILE: \S+ is no certificate in PEM$/],
      [
        { REDIS_TLS_CERT_FILE: key, REDIS_TLS_KEY_FILE: key, REDIS_URL },
        /^REDIS_TLS_CERT_FILE: \S+ is no certificate in PEM$/,
      ],
      [
        { REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: other.key, REDIS_URL },
        /^REDIS_TLS_KEY_FILE: \S+ is not the key, .* of the certificate in REDIS_TLS_CERT_FILE \(/,
      ],
      [
        { REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: cert, REDIS_URL },
        /^REDIS_TLS_KEY_FILE: \S+ is not the key, /,
      ],
    ]
    for (const [env, says] of wrong) {
      const message = messageOf(env)
      t.match(message, says)
      t.notMatch(message, '\n')
    }
  },
)

t.test('a bad entry of a list is named, and the list with it', async (t) => {
  for (const bad of ['*', 'http://a', 'a b', 'a/b', 'a:b', '[::1', '[1.2.3.4]', 'ü.example', '']) {
    const ALLOWED_HOSTS = `a.example,${bad},b.example`
    const message = `ALLOWED_HOSTS: ${JSON.stringify(bad)} is not a host name or an IP address`
    t.equal(messageOf({ ALLOWED_HOSTS }), message)
  }
  for (const bad of ['0', '-1', '100', '10.0.0.0/33', '::1/129', 'a.example', '10.0.0.0/', 'yes']) {
    t.match(messageOf({ TRUST_PROXY: bad }), `TRUST_PROXY: ${JSON.stringify(bad)} is not`)
    t.match(messageOf({ TRUST_PROXY: `10.0.0.1,${bad}` }), `TRUST_PROXY: ${JSON.stringify(bad)}`)
  }
})

t.test('proxies are believed by address, by number, all or none', async (t) => {
  const parsed = (TRUST_PROXY: string) => readConfig({ TRUST_PROXY }).trustProxy
  t.equal(parsed('true'), true)
  t.equal(parsed('false'), false)
  t.equal(parsed('2'), 2)
  t.strictSame(parsed('10.0.0.0/8, ::1,fd00::/8'), ['10.0.0.0/8', '::1', 'fd00::/8'])
})

t.test('a database in memory is for one process: both variables are named', async (t) => {
  const env = { DATABASE_URL: 'file::memory:', WEB_CONCURRENCY: '2' }
  t.match(messageOf(env), /^DATABASE_URL=file::memory: .* WEB_CONCURRENCY=2 .* set .* or .*$/)
  t.equal(readConfig({ ...env, WEB_CONCURRENCY: '1' }).databaseUrl, 'file::memory:')
})

t.test('more connections than there can be are an error that names the variable', async (t) => {
  t.match(messageOf({ MAX_CONNECTIONS: '1000000000' }), /^MAX_CONNECTIONS must be at most \d+, not/)
  t.match(
    messageOf({ MAX_CONNECTIONS: '10', MAX_CONNECTIONS_PER_ADDRESS: '11' }),
    /^MAX_CONNECTIONS_PER_ADDRESS must be at most 10, .* not 11$/,
  )
})

t.test('all that is wrong is told at once, a line for each variable', async (t) => {
  const message = messageOf({ PORT: 'x', LOG_LEVEL: 'y', REDIS_URL: 'z', CACHE_TTL_SECONDS: '-1' })
  const names = message.split('\n').map((line) => line.split(' must be ')[0])
  t.strictSame(names.sort(), ['CACHE_TTL_SECONDS', 'LOG_LEVEL', 'PORT', 'REDIS_URL'])
})

function messageOf(env: Record<string, string>): string {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}
