// no database: it reads a file
import { readFile } from 'node:fs/promises'
import t from 'tap'

const compose = await readFile(new URL('../../../compose.yaml', import.meta.url), 'utf8')
const [, redis = ''] = /^ {2}redis:\n((?: {4}.*\n|\n)+)/m.exec(compose) ?? []

t.test('Redis is published to nobody, and wants the password that the service has', async (t) => {
  t.notMatch(redis, /^ +ports:/m)
  const [password = ''] = /(?<=--requirepass )\S+/.exec(redis) ?? []
  t.match(password, /^\$\{REDIS_PASSWORD:-.+\}$/)
  t.ok(compose.includes(`REDIS_URL: redis://:${password}@redis:6379\n`))
})

t.test(
  'without keys API_KEYS is unset there, since the service refuses an empty one',
  async (t) => {
    t.match(compose, /^ {6}API_KEYS:\n/m)
  },
)
