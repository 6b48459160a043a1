// no database: it reads URLs
import t from 'tap'
import { parseRedisUrl, type RedisTarget, shownRedisUrl } from '../../src/cache/redis-url.js'

const plain: RedisTarget = {
  kind: 'standalone',
  isTls: false,
  nodes: [{ host: 'cache', port: 6379 }],
  name: '',
  db: 0,
  username: '',
  password: '',
  sentinelUsername: '',
  sentinelPassword: '',
}
const several: RedisTarget['nodes'] = [
  { host: 'one', port: 1 },
  { host: '::1', port: 2 },
]

/** What each says, and how it is shown. */
const urls: [url: string, says: Partial<RedisTarget>, shown: string][] = [
  ['redis://cache', {}, 'redis://cache:6379'],
  ['redis://cache/', {}, 'redis://cache:6379'],
  ['rediss://cache:6380/1', { isTls: true, db: 1, nodes: [{ host: 'cache', port: 6380 }] }, ''],
  ['redis://[::1]:1', { nodes: [{ host: '::1', port: 1 }] }, ''],
  ['redis://:a%2Fb@cache', { password: 'a/b' }, 'redis://cache:6379'],
  ['redis://ada:s:e@c@cache', { username: 'ada', password: 's:e@c' }, 'redis://cache:6379'],
  [
    'redis+sentinel://one:1,[::1]:2/main',
    { kind: 'sentinel', nodes: several, name: 'main' },
    'redis+sentinel://one:1,[::1]:2/main',
  ],
  [
    'rediss+sentinel://ada:secret@one/my%20main/3?sentinelUsername=bob&sentinelPassword=a%2Bb',
    {
      kind: 'sentinel',
      isTls: true,
      nodes: [{ host: 'one', port: 26379 }],
      name: 'my main',
      db: 3,
      username: 'ada',
      password: 'secret',
      sentinelUsername: 'bob',
      sentinelPassword: 'a+b',
    },
    'rediss+sentinel://one:26379/my%20main/3',
  ],
  ['redis+cluster://one:1,[::1]:2', { kind: 'cluster', nodes: several }, ''],
  [
    'rediss+cluster://:secret@cache/0',
    { kind: 'cluster', isTls: true, password: 'secret' },
    'rediss+cluster://cache:6379',
  ],
]

for (const [url, says, shown] of urls) {
  t.test(`${url} is understood, and shown without secrets`, async (t) => {
    const target = parseRedisUrl(url) as RedisTarget
    t.strictSame(target, { ...plain, ...says })
    t.equal(shownRedisUrl(target), shown || url)
  })
}
