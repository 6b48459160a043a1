// slow: Redis is broken for 16 seconds
import t from 'tap'
import { newDatabase } from '../support/any-database.js'
import { runCoherence } from './run.js'

const PHASE_MS = 1800

t.test('no read on any process misses an acknowledged write, whatever Redis does', async (t) => {
  const report = await runCoherence(t, await newDatabase(t), PHASE_MS)
  for (const { phase, reads, writes, slowestMs } of report.phases) {
    t.comment(`${phase}: ${reads} reads checked, ${writes} writes, slowest ${slowestMs} ms`)
    t.ok(reads > 0 && writes > 0, `${phase}: there were reads and writes`)
  }
  t.comment(JSON.stringify(report.sources))
  for (const source of ['fwd=miss; detail=parts', 'fwd=miss; stored', 'hit; detail=redis']) {
    t.ok((report.sources[`employees; ${source}`] ?? 0) > 0, source)
  }
  t.strictSame(report.violations.slice(0, 5), [])
  t.strictSame(report.failures.slice(0, 5), [])
})
