// no database: of bytes alone
import t from 'tap'
import { Body } from '../../src/cache/body.js'
import { entryOf, storedEntry } from '../../src/cache/stored-entry.js'

const entry = { version: 'a', number: 7, body: Body.of([Buffer.from('[1,2]')]), expires: 0 }

t.test('what is stored of an entry is its body, its number and its parts', async (t) => {
  for (const index of [undefined, { parts: ['ä', 'b'], ends: [2, 4] }]) {
    const { body, ...rest } = entryOf(storedEntry({ ...entry, index }))
    t.equal(`${body.whole()}`, '[1,2]')
    t.strictSame(rest, { number: 7, index })
  }
})

t.test('the places of very many parts are not stored', async (t) => {
  const parts = Array.from({ length: 20_001 }, (_, i) => i)
  const stored = storedEntry({ ...entry, index: { parts, ends: parts } })
  t.equal(entryOf(stored).index, undefined)
  t.ok(stored.length < 100)
})

t.test('what is no entry is none', async (t) => {
  for (const bytes of ['', 'abc', '[1,2]', 'x'.repeat(100)]) {
    t.throws(() => entryOf(Buffer.from(bytes)))
  }
})
