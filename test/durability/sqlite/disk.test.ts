import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { temporaryDirectory } from '../../support/build.js'
import { Disk, type Survivors } from './disk.js'
import type { Event } from './syscall-trace.js'

const nothing: Survivors = () => []
const everything: Survivors = (changes) => changes
/** The first one of those that are left to chance. */
const first: Survivors = (changes) => changes.slice(0, 1)

t.test('a power cut leaves what was synced, and of the rest what survives', async (t) => {
  const disk = await diskWith(t, 'old')
  disk.take(write(0, 'NEW'))
  disk.take(write(3, 'more'))
  t.ok(disk.isAtRisk)
  t.equal(text(disk, nothing), 'old')
  t.equal(text(disk, first), 'NEW')
  t.equal(text(disk, everything), 'NEWmore')
  disk.take({ kind: 'sync', file: 'db', since: 1 })
  t.equal(text(disk, nothing), 'NEW')
  disk.take({ kind: 'sync', file: 'db', since: 3 })
  t.equal(text(disk, nothing), 'NEWmore')
  t.notOk(disk.isAtRisk)
})

t.test('a torn write leaves sectors, as they lie in the file', async (t) => {
  const disk = await diskWith(t, 'a'.repeat(1024))
  disk.take(write(500, 'b'.repeat(100)))
  t.equal(text(disk, first, true), `${'a'.repeat(500)}${'b'.repeat(12)}${'a'.repeat(512)}`)
})

t.test('what was cut off does not come back', async (t) => {
  const disk = await diskWith(t, 'salary')
  disk.take({ kind: 'truncate', file: 'db', size: 1 })
  disk.take(write(3, '!'))
  t.equal(text(disk, nothing), 'salary')
  t.equal(text(disk, everything), 's\0\0!')
})

t.test('a name is durable when its directory was synced', async (t) => {
  const disk = await diskWith(t, 'old')
  disk.take({ kind: 'remove', file: 'db' })
  disk.take({ kind: 'create', file: 'db' })
  disk.take(write(0, 'new'))
  disk.take({ kind: 'sync', file: 'db', since: 3 })
  t.equal(text(disk, nothing), 'old')
  t.equal(text(disk, first), undefined)
  disk.take({ kind: 'sync', file: '.', since: 4 })
  t.equal(text(disk, nothing), 'new')
})

async function diskWith(t: Test, content: string): Promise<Disk> {
  const directory = await temporaryDirectory(t)
  writeFileSync(join(directory, 'db'), content)
  return new Disk(directory)
}

function write(offset: number, text: string): Event {
  return { kind: 'write', file: 'db', offset, data: Buffer.from(text) }
}

function text(disk: Disk, survivors: Survivors, torn = false): string | undefined {
  return disk.image(survivors, torn).get('db')?.toString()
}
