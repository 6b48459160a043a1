import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import { build } from './build.js'

/** How often the service looks how it is doing. */
const SAMPLE_MS = 5000

/** The service, and what has it look at once how it is doing. */
export async function buildSampled(t: Test, overrides: Partial<Config> = {}) {
  const { setInterval } = globalThis
  const looks: (() => void)[] = []
  const value = (look: () => void, ms: number) => {
    if (ms === SAMPLE_MS) looks.push(look)
    return setInterval(look, ms)
  }
  const intercepted = t.intercept(globalThis, 'setInterval', { value })
  const app = await build(t, overrides)
  intercepted.restore()
  t.ok(looks.length > 0, 'it looks every 5 s')
  const sample = () => {
    for (const look of looks) look()
  }
  return { app, sample }
}

/** A heap near its limit, until the test ends or there is room again. */
export function fillHeap(t: Test): { empty: () => void } {
  const statistics = v8.getHeapStatistics()
  const used_heap_size = 0.91 * statistics.heap_size_limit
  const value = () => ({ ...statistics, used_heap_size })
  const intercepted = t.intercept(v8, 'getHeapStatistics', { value })
  syncBuiltinESMExports()
  const empty = () => {
    intercepted.restore()
    syncBuiltinESMExports()
  }
  t.teardown(empty)
  return { empty }
}
