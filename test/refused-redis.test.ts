// slow: servers of each kind are started, and each start of the service is a process
// no database: Redis is looked at before it is opened
import t, { type Test } from 'tap'
import { assertUsableRedis } from '../src/cache/redis-check.js'
import { Authority, type CertificateFiles } from './support/certificates.js'
import { filesOf, hasServed, isOneLine, start } from './support/failed-start.js'
import { RedisServer } from './support/redis-server.js'
import { cluster, sentinel } from './support/redis-topologies.js'
import { Service } from './support/service.js'
import { temporaryDirectory } from './support/temporary-directory.js'

const authority = await Authority.create(t)
const files = authority.issue()
const other = (await Authority.create(t)).issue()
const tls = (options: { [name in keyof CertificateFiles]?: string | undefined }) => ({
  REDIS_TLS_CA_FILE: options.ca,
  REDIS_TLS_CERT_FILE: options.cert,
  REDIS_TLS_KEY_FILE: options.key,
})
const ours = tls(files)
const plain = await RedisServer.start(t)
const secured = await RedisServer.startWith(t, { tls: files })
const old = ['--tls-protocols', 'TLSv1.2']
const older = await RedisServer.startWith(t, { tls: files, options: old })
const elsewhere = await RedisServer.startWith(t, { tls: authority.issue('DNS:redis.example') })
const sentinels = await sentinel(t)
const securedSentinels = await sentinel(t, files)
const nodes = await cluster(t)
const securedNodes = await cluster(t, files)
const [node] = nodes.servers
const [watcher] = sentinels.sentinels as [RedisServer]
const at = (scheme: string, { port }: RedisServer) => `${scheme}://:secret@127.0.0.1:${port}`

const cases: [what: string, env: NodeJS.ProcessEnv, says: RegExp][] = [
  [
    'redis:// to a Sentinel',
    { REDIS_URL: at('redis', watcher) },
    /is not a Redis, but a Sentinel: set redis\+sentinel:\/\/127\.0\.0\.1:\d+\/MASTER-NAME$/,
  ],
  [
    'redis:// to a node of a Cluster',
    { REDIS_URL: at('redis', node) },
    /is not a Redis by itself, but of a Cluster: set redis\+cluster:\/\/127\.0\.0\.1:\d+$/,
  ],
  [
    'a database that is not there',
    { REDIS_URL: `${plain.url}/99` },
    /127\.0\.0\.1:\d+ has no database 99$/,
  ],
  [
    'redis+sentinel:// to a Redis',
    { REDIS_URL: `${at('redis+sentinel', plain)}/main?sentinelPassword=secret` },
    /127\.0\.0\.1:\d+ is no Sentinel: name Sentinels, or let the URL begin with redis:/,
  ],
  [
    'redis+sentinel:// to a master that is not known',
    { REDIS_URL: `${sentinels.url}-2` },
    /the Sentinel 127\.0\.0\.1:\d+ knows no master of the name "main-2": set that of its /,
  ],
  [
    'redis+cluster:// to a Redis',
    { REDIS_URL: at('redis+cluster', plain) },
    /127\.0\.0\.1:\d+ is of no Cluster: name nodes of one, or let the URL begin with redis:/,
  ],
  [
    'redis+cluster:// to a Sentinel',
    { REDIS_URL: at('redis+cluster', watcher) },
    /127\.0\.0\.1:\d+ is of no Cluster: /,
  ],
  [
    'redis:// where there is TLS',
    { REDIS_URL: at('redis', secured) },
    /wants TLS: let the URL begin with rediss instead of redis$/,
  ],
  [
    'rediss:// where there is none',
    { REDIS_URL: at('rediss', plain), ...ours },
    /has no TLS: let the URL begin with redis instead of rediss$/,
  ],
  [
    'a certificate of another name',
    { REDIS_URL: elsewhere.url, ...ours },
    /does not verify: ask it by a name .* \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
  ],
  ...[secured, older].flatMap(({ url: REDIS_URL }): typeof cases => [
    [
      'no certificate of ours',
      { REDIS_URL, ...tls({ ca: files.ca }) },
      /wants a certificate of this service: set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE \(ERR/,
    ],
    [
      'a certificate of ours that is not trusted',
      { REDIS_URL, ...tls({ ...other, ca: files.ca }) },
      /refuses the certificate in REDIS_TLS_CERT_FILE: set one that it trusts \(ERR_/,
    ],
  ]),
  ...[secured, securedSentinels, securedNodes].flatMap(({ url: REDIS_URL }): typeof cases => [
    [
      'an authority that nobody was told of',
      { REDIS_URL, ...tls({ ...files, ca: undefined }) },
      /does not verify: set REDIS_TLS_CA_FILE to that of who has signed it \(SELF_SIGNED_/,
    ],
    [
      'another authority',
      { REDIS_URL, ...tls({ ...files, ca: other.ca }) },
      /does not verify: set REDIS_TLS_CA_FILE to that of who has signed it \(SELF_SIGNED_/,
    ],
    [
      'an authority that nobody was told of, and no verification by Node',
      { REDIS_URL, ...tls({ ...files, ca: undefined }), NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      /does not verify: set REDIS_TLS_CA_FILE/,
    ],
  ]),
]
for (const [what, env, says] of cases) {
  const scheme = env.REDIS_URL?.replace(/:.*/, '')
  t.test(`${what}, ${scheme}: one line, with exit code 1`, async (t) => {
    const { directory, ended } = await refused(t, env)
    isOneLine(t, { ...ended, stderr: withoutWarning(ended.stderr) }, 1, says)
    t.match(ended.stderr, `REDIS_URL=${scheme}://127.0.0.1:`)
    t.notMatch(ended.stderr, 'secret')
    t.strictSame(await filesOf(directory), [], 'nothing was made')
  })
}

t.test('it is said once for all workers', async (t) => {
  const env = { WEB_CONCURRENCY: '2', REDIS_URL: nodes.servers[0].url }
  const { ended } = await refused(t, env)
  isOneLine(t, ended, 1, /is not a Redis by itself/)
})

t.test('what is away is waited for a second at most, and is no error', async (t) => {
  const away: [url: string, servers: RedisServer[]][] = [
    [plain.url, [plain]],
    [sentinels.url, sentinels.sentinels],
    [nodes.url, nodes.servers],
  ]
  for (const [url, servers] of away) {
    for (const server of servers) server.signal('SIGSTOP')
    const begin = performance.now()
    await assertUsableRedis(url, {})
    const ms = performance.now() - begin
    t.ok(ms < 2000, `${url} was waited for ${ms} ms`)
    const DATABASE_URL = 'file::memory:'
    const service = await Service.start(t, { REDIS_URL: url, DATABASE_URL, LOG_LEVEL: 'info' })
    t.match(await (await fetch(`${service.url}/readyz`)).json(), { redis: 'away' }, url)
    t.equal(await service.stop(), 0)
  }
})

/** Starts it until Redis answers in time: one that answers late, on a busy machine, is only away. */
async function refused(t: Test, env: NodeJS.ProcessEnv) {
  for (;;) {
    const directory = await temporaryDirectory(t)
    const ended = await start(t, directory, { PORT: '0', ...env })
    if (!hasServed(ended)) return { directory, ended }
  }
}

/** Node's own, of a variable that it advises against. */
function withoutWarning(stderr: string): string {
  return stderr.replace(/^(?:\(node:.*NODE_TLS_REJECT_UNAUTHORIZED|\(Use `node --trace).*\n/gm, '')
}
