// no database: of a made-up store
import t from 'tap'
import { Body } from '../../src/cache/body.js'
import { SharedEntries } from '../../src/cache/shared-entries.js'

t.test(
  'what is shared of a version goes with it, whichever entry of it was kept last',
  async (t) => {
    const store = new Set<string>()
    const entries = new SharedEntries<string>()
    entries.use('view', {
      ttl: 1000,
      key: (version) => version,
      get: async () => undefined,
      set: async (key) => store.add(key),
      unlink: async (key) => store.delete(key),
    })
    const entry = (version: string) => ({
      version,
      number: 1,
      body: Body.of([Buffer.from('[]')]),
      expires: performance.now() + 1000,
    })
    const [first, second] = [entry('a'), entry('a')]
    entries.share('view', first)
    entries.shareEncoded('view', first, 'br', Buffer.from('br'))
    t.strictSame([...store], ['a', 'a:br'])
    entries.taken(first, second)
    entries.replaced('view', second)
    t.strictSame([...store], [])
  },
)
