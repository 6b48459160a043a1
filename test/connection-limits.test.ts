// no database: it counts descriptors
import t from 'tap'
import { connectionLimits } from '../src/connection-limits.js'

const limits = (descriptors: number, all?: number, perAddress?: number) => {
  const { maxConnections, maxConnectionsPerAddress } = connectionLimits(
    all,
    perAddress,
    descriptors,
  )
  return [maxConnections, maxConnectionsPerAddress]
}

t.test('clients may have what files do not need, and one address half of that', async (t) => {
  t.strictSame(limits(256), [64, 32])
  t.strictSame(limits(1024), [832, 416])
  t.strictSame(limits(1_048_576), [8192, 4096])
  t.strictSame(limits(Number.POSITIVE_INFINITY), [8192, 4096])
})

t.test('what is configured counts, if the descriptors allow it', async (t) => {
  t.strictSame(limits(1024, 832), [832, 416])
  t.strictSame(limits(1024, 100, 100), [100, 100])
  t.strictSame(limits(1024, undefined, 832), [832, 832])
  t.strictSame(limits(1_048_576, 100_000), [100_000, 50_000])
  t.throws(() => limits(1024, 833), {
    message:
      'MAX_CONNECTIONS must be at most 832, not 833: the process may open 1024 files ("ulimit -n"), ' +
      'and keeps 192 for other things than clients',
  })
  t.throws(() => limits(1024, 100, 101), /^MAX_CONNECTIONS_PER_ADDRESS must be at most 100, /)
})

t.test('too few descriptors to serve at all are said, and how many it takes', async (t) => {
  t.throws(() => limits(255), {
    message:
      'The process may open 255 files, and keeps 192 for other things than clients: let it open ' +
      '256 or more ("ulimit -n")',
  })
})
