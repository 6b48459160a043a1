import { median } from '../median.js'
import type { Measured } from './load.js'
import type { RowResult } from './results.js'

type Figure = Exclude<keyof Measured, 'bytes'>

export interface Sample {
  own: Measured
  /** What the limit did just before. */
  limit?: Measured | undefined
}

/** A row's medians, and those of its ratios to what was measured right before it. */
export function summarize(
  { name, server, limit }: Pick<RowResult, 'name' | 'server' | 'limit'>,
  samples: Sample[],
): RowResult {
  const bytes = samples.flatMap(({ own }) => own.bytes ?? [])
  const middle = (figure: Figure) => median(samples.map(({ own }) => own[figure]))
  const pairs = samples.flatMap(({ own, limit }) => (limit ? [{ own, limit }] : []))
  const against = (figure: Figure) =>
    pairs.length > 0
      ? median(pairs.map((pair) => pair.own[figure] / pair.limit[figure]))
      : undefined
  return {
    name,
    server,
    limit,
    cpu: middle('cpu'),
    perSecond: middle('perSecond'),
    p50: middle('p50'),
    p99: middle('p99'),
    bytes: bytes.length > 0 ? median(bytes) : undefined,
    cpuRatio: against('cpu'),
    rateRatio: against('perSecond'),
  }
}
