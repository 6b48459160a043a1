// no database: bodies are read, and thrown away
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { readWhole } from '../../src/http/whole-body.js'

const LIMIT = 64 * 1024

t.test('a body is what came, in whatever pieces', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251))
  for (const size of [1, 3, 1023, 1024, 1025, 4999, 5000, 6000]) {
    t.ok((await read(pieces(bytes, size))).equals(bytes), `pieces of ${size}`)
  }
  t.equal((await read(Readable.from([]))).length, 0)
})

t.test('what is larger than may be, or another length than was said, is an error', async (t) => {
  const bytes = Buffer.alloc(LIMIT + 1)
  const tooLarge = { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }
  await t.rejects(read(pieces(bytes, 1000)), tooLarge)
  await t.rejects(read(Readable.from([]), LIMIT + 1), tooLarge)
  const another = { code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', statusCode: 400 }
  await t.rejects(read(pieces(bytes.subarray(0, 10), 3), 11), another)
  t.equal((await read(pieces(bytes.subarray(0, 10), 3), 10)).length, 10)
})

t.test('a body that breaks off is a 400', async (t) => {
  const broken = new Readable({ read() {} })
  const reading = read(broken)
  broken.push('x')
  broken.destroy(new Error('aborted'))
  await t.rejects(reading, { message: 'aborted', statusCode: 400 })
})

t.test('pieces of a byte are not kept: a body takes twice its size at most', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc')
  const held = () => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const bodies = Array.from({ length: 16 }, () => new Readable({ read() {} }))
  const reading = bodies.map((body) => read(body))
  const before = held()
  for (let i = 0; i < LIMIT; i++) for (const body of bodies) body.push(Buffer.alloc(1, 0x20))
  await new Promise(setImmediate)
  const grown = held() - before
  t.ok(grown < 16 * 3 * LIMIT, `${grown} bytes`)
  for (const body of bodies) body.push(null)
  for (const whole of await Promise.all(reading)) t.equal(whole.length, LIMIT)
})

function pieces(bytes: Buffer, size: number): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
  )
}

function read(body: Readable, announced?: number): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    readWhole(body, { limit: LIMIT, announced, onPiece: undefined }, (error, whole) =>
      error ? reject(error) : resolve(whole as Buffer),
    ),
  )
}
