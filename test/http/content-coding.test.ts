// no database: of headers alone
import t from 'tap'
import { codedEtag, codingFor, identityEtag } from '../../src/http/content-coding.js'

for (const [header, coding] of [
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['deflate', undefined],
  ['*;q=0', undefined],
  ['gzip;q=0', undefined],
  ['gzip;q=0.5, identity', undefined],
  ['gzip, deflate, br, zstd', 'br'],
  ['*', 'br'],
  ['br;q=0, *', 'zstd'],
  ['gzip, zstd', 'zstd'],
  ['br;q=0.5, gzip;q=0.9', 'gzip'],
  [' GZIP ; q=1 ', 'gzip'],
  ['gzip;q=1.0,*;q=0', 'gzip'],
] as const) {
  t.test(`Accept-Encoding: ${header} is answered by ${coding ?? 'no coding'}`, async (t) => {
    t.equal(codingFor(header), coding)
    t.equal(codingFor(header), coding, 'again')
  })
}

t.test('each representation has an entity tag of its own', async (t) => {
  const tags = (['br', 'zstd', 'gzip'] as const).map((coding) => codedEtag('"1-a"', coding))
  t.strictSame(tags, ['"1-a-br"', '"1-a-zst"', '"1-a-gz"'])
  for (const tag of [...tags, '"1-a"']) t.equal(identityEtag(tag), '"1-a"')
})
