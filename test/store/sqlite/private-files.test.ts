import fs, { chmodSync, fstatSync, mkdirSync, statSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { openSqlite } from '../../../src/store/sqlite/open.js'
import { temporaryDirectory } from '../../support/build.js'

const skip = process.platform === 'win32' && 'Windows has no modes'

// It must not be that which keeps others out.
const umask = process.umask(0)
t.teardown(() => process.umask(umask))

t.test('a new database and its folders are for their owner alone', { skip }, async (t) => {
  const directory = await temporaryDirectory(t)
  const path = join(directory, 'new', 'data', 'employees.db')
  t.strictSame(open(t, path), [], 'nothing to tell')
  for (const file of filesOf(path)) t.equal(modeOf(file), '600', file)
  t.equal(modeOf(dirname(path)), '700')
  t.equal(modeOf(join(directory, 'new')), '700')
})

t.test('the names of new folders survive a power cut', { skip }, async (t) => {
  const directory = await temporaryDirectory(t)
  const synced: number[] = []
  const { fsyncSync } = fs
  fs.fsyncSync = (descriptor) => {
    synced.push(fstatSync(descriptor).ino)
    fsyncSync(descriptor)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    fs.fsyncSync = fsyncSync
    syncBuiltinESMExports()
  })
  open(t, join(directory, 'new', 'data', 'employees.db'))
  t.strictSame(
    synced,
    [join(directory, 'new'), directory].map((folder) => statSync(folder).ino),
  )
  synced.length = 0
  open(t, join(directory, 'new', 'data', 'another.db'))
  t.strictSame(synced, [], 'those that were there are nothing new')
})

t.test('a folder that is there keeps its mode', { skip }, async (t) => {
  const folder = join(await temporaryDirectory(t), 'data')
  mkdirSync(folder, { mode: 0o755 })
  const path = join(folder, 'employees.db')
  open(t, path)
  t.equal(modeOf(path), '600')
  t.equal(modeOf(folder), '755')
})

for (const mode of [0o644, 0o640, 0o606]) {
  const name = mode.toString(8)
  t.test(`a database of mode ${name} keeps it, and it is told`, { skip }, async (t) => {
    const path = join(await temporaryDirectory(t), 'employees.db')
    openSqlite(`file:${path}`).$client.close()
    t.strictSame(open(t, path), [])
    chmodSync(path, mode)
    t.match(open(t, path), [[path]])
    t.equal(modeOf(path), name)
  })
}

t.test('logs that others may read are told as well', { skip }, async (t) => {
  const path = join(await temporaryDirectory(t), 'employees.db')
  const [, ...logs] = filesOf(path)
  open(t, path)
  for (const log of logs) chmodSync(log, 0o644)
  t.strictSame(open(t, path), [logs])
})

/** Opens a database; gives what it tells of exposed files. */
function open(t: Test, path: string): string[][] {
  const told: string[][] = []
  const { $client: client } = openSqlite(`file:${path}`, {
    onExposed: (files) => told.push(files),
  })
  t.teardown(() => client.close())
  return told
}

function filesOf(path: string): string[] {
  return ['', '-wal', '-shm'].map((suffix) => path + suffix)
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}
