import t from 'tap'
import { TraceReader } from './syscall-trace.js'

const ID = '5f0c7f0e-7d3c-4a39-9d3f-0a7f0a4b8d11'

t.test('a write counts from its start, a sync from its return and for what was before it', (t) => {
  const log = `19<${escaped('/data/employees.db-wal')}>`
  const events = read(
    `7 openat(AT_FDCWD<${escaped('/')}>, "${escaped('/data/employees.db-wal')}", O_RDWR|O_CREAT, 0600) = ${log}`,
    `7  pwrite64(${log}, "${escaped('one')}", 3, 0) = 3`,
    `8  fsync(${log} <unfinished ...>`,
    `7  pwrite64(${log}, "${escaped('two')}", 3, 3 <unfinished ...>`,
    '8  <... fsync resumed>)               = 0',
    '7  <... pwrite64 resumed>)            = 3',
  )
  t.strictSame(events, [
    { kind: 'create', file: 'employees.db-wal' },
    { kind: 'write', file: 'employees.db-wal', offset: 0, data: Buffer.from('one') },
    { kind: 'write', file: 'employees.db-wal', offset: 3, data: Buffer.from('two') },
    { kind: 'sync', file: 'employees.db-wal', since: 2 },
  ])
  t.end()
})

t.test('of what goes to clients, the heads of good answers count', (t) => {
  const socket = `23<${escaped('socket:[1]')}>`
  const send = (text: string) =>
    `7 writev(${socket}, [{iov_base="${escaped(text)}", iov_len=1}], 1) = 1`
  const events = read(
    send(`HTTP/1.1 201 Created\r\nx-request-id: ${ID}\r\n\r\n{}`),
    send(`HTTP/1.1 503 Service Unavailable\r\nx-request-id: ${ID}\r\n\r\n{}`),
    send('{"id":1}'),
  )
  t.strictSame(events, [{ kind: 'answer', requestId: ID }])
  t.end()
})

t.test('what the model does not know is an error', (t) => {
  const file = `19<${escaped('/data/employees.db')}>`
  t.throws(() => read(`7 write(${file}, "${escaped('one')}", 3) = 3`), /no write to employees.db/)
  t.throws(() => read(`7 pwrite64(${file}, "${escaped('one')}", 3, 0) = 2`), /write of 2 of 3/)
  t.throws(() => read(`7 ftruncate(${file}, 0) = -1 EIO (Input/output error)`), /truncation/)
  t.strictSame(read(`7 fsync(${file}) = -1 EIO (Input/output error)`), [], 'nothing is durable')
  t.end()
})

function read(...lines: string[]) {
  const reader = new TraceReader('/data')
  for (const line of lines) reader.read(line)
  return reader.events
}

/** As strace -xx writes it. */
function escaped(text: string): string {
  return Buffer.from(text).toString('hex').replace(/../g, '\\x$&')
}
