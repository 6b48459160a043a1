// no database: keys are read
import { createHash } from 'node:crypto'
import t from 'tap'
import { createKey, findKey, parseKeys } from '../../src/auth/api-keys.js'

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex')

t.test('entries stand on lines or between commas, with comments and room', async (t) => {
  const keys = parseKeys(
    `# who reads\nweb:read:${sha256('a')}  # the page\r\n\n ci:write:${sha256('b').toUpperCase()} , x:read:${sha256('c')}\n`,
  )
  t.strictSame(
    keys.map(({ name, role, digest }) => [name, role, digest.toString('hex')]),
    [
      ['web', 'read', sha256('a')],
      ['ci', 'write', sha256('b')],
      ['x', 'read', sha256('c')],
    ],
  )
})

t.test('a wrong entry is named by its number, and never shown', async (t) => {
  const good = `web:read:${sha256('a')}`
  for (const wrong of [
    'secret',
    'name:read:secret',
    `secret:admin:${sha256('a')}`,
    `:read:${sha256('a')}`,
    `a secret:read:${sha256('a')}`,
    `web:read:${sha256('a')}:secret`,
    `web:read:${sha256('a')}0`,
  ]) {
    t.throws(() => parseKeys(`${good},${wrong}`), /^entry 2 is not NAME:read:SHA256/, wrong)
    try {
      parseKeys(wrong)
    } catch (error) {
      t.notMatch((error as Error).message, /secret|[0-9a-f]{64}/)
    }
  }
})

t.test('two keys of one name are an error, and so is no key at all', async (t) => {
  const entries = `web:read:${sha256('a')},web:write:${sha256('b')}`
  t.throws(() => parseKeys(entries), /two keys the same name/)
  for (const nothing of ['', ' , ', '# nobody yet\n\n']) {
    t.throws(() => parseKeys(nothing), /has no key/)
  }
})

t.test('one key under two names is an error that names both, and not its digest', async (t) => {
  const digest = sha256('a')
  const entries = `web:read:${digest},other:read:${sha256('b')},ci:write:${digest.toUpperCase()}`
  t.throws(() => parseKeys(entries), { message: 'web and ci are the same key' })
})

t.test('a key that was made is found by what its owner sends, and by nothing else', async (t) => {
  const { key, entry } = createKey('web', 'read')
  const keys = parseKeys(
    [createKey('a', 'write').entry, entry, createKey('z', 'read').entry].join(),
  )
  for (const sent of [`Bearer ${key}`, `bearer ${key}`, `BEARER   ${key}`]) {
    t.equal(findKey(keys, sent)?.name, 'web')
  }
  for (const sent of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    key,
    `Basic ${key}`,
    `Bearer ${key}x`,
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${key} ${key}`,
    `Bearer ${sha256(key)}`,
    `Bearer web`,
    `xBearer ${key}`,
  ]) {
    t.equal(findKey(keys, sent), undefined, `${sent}`)
  }
})

t.test('keys differ, can stand in a header, and carry 256 bits', async (t) => {
  const { key } = createKey('web', 'read')
  t.match(key, /^emp_[\w-]{43}$/)
  t.not(createKey('web', 'read').key, key)
})
