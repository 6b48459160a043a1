// no database: of bytes alone
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Body, BodyStream } from '../../src/cache/body.js'
import { joinParts, type Part, type PartIndex } from '../../src/cache/parts.js'
import { inJson, PartsWriter } from '../../src/store/parts.js'

t.test('a small body is one buffer, a large one has segments that none copies', async (t) => {
  const small = Body.of([Buffer.from('[1'), Buffer.from(',2]')])
  t.strictSame(small.payload(), Buffer.from('[1,2]'))
  const buffer = Buffer.alloc(1024 * 1024)
  const large = Body.of([buffer])
  t.ok(large.segments.length > 10)
  for (const segment of large.segments) t.equal(segment.buffer, buffer.buffer)
  t.ok(large.payload() instanceof BodyStream)
})

t.test('slices of a body are the bytes from one place to before another', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, i) => i % 251))
  const body = Body.of(chunksOf(bytes, 30_000))
  const place = fc.integer({ min: 0, max: bytes.length })
  fc.assert(
    fc.property(place, place, (one, other) => {
      const [from, to] = one < other ? [one, other] : [other, one]
      return Buffer.concat(body.slice(from, to)).equals(bytes.subarray(from, to))
    }),
  )
  t.equal(body.slice(0, bytes.length).length, body.segments.length)
})

t.test(
  'changed parts of a large body give the new one, which shares what is the same',
  async (t) => {
    const rows = new Map<Part, number>(Array.from({ length: 400 }, (_, part) => [part, 20]))
    let last = whole(rows)
    const parts = fc.array(
      fc.tuple(fc.integer({ min: -1, max: 420 }), fc.integer({ min: 0, max: 60 })),
      {
        maxLength: 5,
      },
    )
    let shared = 0
    fc.assert(
      fc.property(parts, (changes) => {
        const changed = new Map(changes)
        for (const [part, count] of changed) rows.set(part, count)
        const before = new Set(last.body.segments)
        last = joinParts(
          last,
          [...changed].map(([part, count]) => [part, Buffer.from(inJson(rowsOf(part, count)))]),
        )
        const expected = whole(rows)
        if (!last.body.whole().equals(expected.body.whole())) throw new Error('other bytes')
        if (JSON.stringify(last.index) !== JSON.stringify(expected.index))
          throw new Error('other places')
        shared += last.body.segments.filter((segment) => before.has(segment)).length
        const made = last.body.segments.filter((segment) => !before.has(segment))
        if (made.reduce((sum, { length }) => sum + length, 0) > 1_500_000)
          throw new Error('copies all')
      }),
      { numRuns: 200 },
    )
    t.ok(last.body.segments.length > 5 && last.body.segments.length < 200)
    t.ok(shared > 1000, `${shared} segments were shared`)
  },
)

t.test('a large body is sent whole, in order, and ends', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 253))
  const body = Body.of(chunksOf(bytes, 70_000))
  const url = await served(t, body)
  const got = await new Promise<Buffer>((resolve, reject) => {
    request(url, (response) =>
      response.toArray().then((all) => resolve(Buffer.concat(all)), reject),
    ).end()
  })
  t.ok(got.equals(bytes))
  const through = new PassThrough()
  const collected = through.toArray()
  const stream = body.payload() as BodyStream
  const closed = once(stream, 'close')
  stream.pipe(through)
  t.ok(Buffer.concat(await collected).equals(bytes))
  await closed
  t.ok(
    Buffer.concat(await (body.payload() as BodyStream).toArray()).equals(bytes),
    'read as any stream',
  )
})

t.test('of a client that has left nothing is written', async (_t) => {
  const body = Body.of([Buffer.alloc(1024 * 1024)])
  const gone = new PassThrough()
  gone.destroy()
  const stream = body.payload() as BodyStream
  const closed = once(stream, 'close')
  stream.pipe(gone)
  await closed
})

async function served(t: Test, body: Body): Promise<string> {
  const server = createServer((_, response) => {
    ;(body.payload() as BodyStream).pipe(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function whole(content: Map<Part, number>) {
  const parts = [...content.keys()].toSorted((one, other) => Number(one) - Number(other))
  const writer = new PartsWriter({ by: 'part' })
  const chunks: Buffer[] = []
  for (const part of parts) {
    const rows = rowsOf(part, content.get(part) ?? 0)
    if (rows.length > 0)
      chunks.push(Buffer.from(`${chunks.length > 0 ? ',' : '['}${writer.write(rows)}`))
  }
  chunks.push(Buffer.from(chunks.length > 0 ? ']' : '[]'))
  const body = Body.of(chunksOf(Buffer.concat(chunks), 50_000))
  return { body, index: writer.index as PartIndex }
}

function rowsOf(part: Part, count: number): object[] {
  return Array.from({ length: count }, (_, row) => ({ row, part, name: `Zoë ${'x'.repeat(90)}` }))
}

function chunksOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    Buffer.from(bytes.subarray(i * size, (i + 1) * size)),
  )
}
