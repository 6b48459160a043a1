// no database: of bytes alone
import fc from 'fast-check'
import t from 'tap'
import { Body } from '../../src/cache/body.js'
import {
  type DividedBody,
  isOrdered,
  joinParts,
  type Part,
  type PartIndex,
} from '../../src/cache/parts.js'
import { inJson, PartsWriter } from '../../src/store/parts.js'

/** Rows of each part: what a view holds. */
type Content = Map<Part, number>

/** Departments whose order by bytes is not that of JavaScript's strings, and are written with several bytes. */
const departments = fc.constantFrom('', 'a', 'b', 'z', 'ä', '\uff5e', '\u{1f389}', '"\\')
const blocks = fc.integer({ min: 0, max: 8 })

for (const [what, part] of [
  ['numbers', blocks],
  ['text', departments],
] as [string, fc.Arbitrary<Part>][]) {
  t.test(`changed parts in an old body give the new body, by ${what}`, async (t) => {
    const changes = fc.array(fc.tuple(part, fc.nat({ max: 3 })), { maxLength: 12 })
    const property = fc.property(changes, fc.array(changes, { maxLength: 4 }), (first, later) => {
      const content: Content = new Map(first)
      let joined = whole(content)
      for (const each of later) {
        const changed = new Map(each)
        for (const [part, rows] of changed) content.set(part, rows)
        const parts = [...changed].map(([part, rows]): [Part, Buffer] => [
          part,
          Buffer.from(inJson(rowsOf(part, rows))),
        ])
        joined = joinParts(joined, parts)
        const expected = whole(content)
        if (!joined.body.whole().equals(expected.body.whole()))
          throw new Error(`${joined.body.whole()}, not ${expected.body.whole()}`)
        if (JSON.stringify(joined.index) !== JSON.stringify(expected.index)) {
          throw new Error(`${JSON.stringify(joined.index)}, not ${JSON.stringify(expected.index)}`)
        }
        if (!isOrdered(joined.index)) throw new Error('out of order')
      }
    })
    fc.assert(property, { numRuns: 500 })
    t.strictSame(joinParts(whole(new Map()), []).body.whole().toString(), '[]')
  })
}

t.test(
  'parts that are out of their order are told, and so are those that come twice',
  async (t) => {
    for (const [parts, isGood] of [
      [[], true],
      [[1, 2, 10], true],
      [['a', '\uff5e', '\u{1f389}'], true],
      [['a', '\u{1f389}', '\uff5e'], false],
      [[2, 1], false],
      [['a', 'b', 'a'], false],
      [[1, 1], false],
    ] as const) {
      t.equal(isOrdered({ parts: [...parts], ends: parts.map(() => 0) }), isGood, `${parts}`)
    }
  },
)

t.test('among parts that are no UTF-8 nobody knows where one belongs', async (t) => {
  const writer = new PartsWriter({ by: 'part' })
  writer.write([{ part: 'a' }])
  t.not(writer.index, undefined)
  writer.write([{ part: '\ufffd' }, { part: '\u{1f389}' }])
  t.equal(writer.index, undefined)
})

/** A body as a fill gives it, in chunks that end wherever they do. */
function whole(content: Content): DividedBody {
  const order = (one: Part, other: Part) => Buffer.compare(bytes(one), bytes(other))
  const rows = [...content.keys()]
    .toSorted(order)
    .flatMap((part) => rowsOf(part, content.get(part) ?? 0))
  const writer = new PartsWriter({ by: 'part' })
  const chunks: string[] = []
  for (let i = 0; i < rows.length; i += 2) chunks.push(writer.write(rows.slice(i, i + 2)))
  return { body: Body.of([Buffer.from(`[${chunks.join(',')}]`)]), index: writer.index as PartIndex }
}

function rowsOf(part: Part, count: number): object[] {
  return Array.from({ length: count }, (_, row) => ({ row, part, name: 'Zoë' }))
}

/** What sorts numbers from 0 to 9, and text, as databases do. */
function bytes(part: Part): Buffer {
  return Buffer.from(`${part}`)
}
