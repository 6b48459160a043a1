import type { GrowthResult, Results, RowResult } from '../../bench/measure/results.js'
import { groupsOf, keyOf } from '../../bench/rows.js'
import { targetsOf } from '../../bench/targets.js'

/** Results of the benchmark with every row that it has, made up, and so that all targets are met. */
export function benchResults(): Results {
  const measured = {
    date: '2026-01-01T00:00:00.000Z',
    machine: 'a machine </script>',
    node: 'v26',
    cores: 'each server alone on core 1, the load on 0',
    seconds: 1,
    rounds: 3,
    pairs: 3,
    employees: 10_000,
    rows: rows(),
    growth: [growth(10_000), growth(1_000_000)],
    pauses: [
      { work: 'a list', employees: 1_000_000, p50: 1, p99: 24, grownMiB: 60, times: 3 },
      { work: 'a list', employees: 1000, p50: 1, p99: 26, grownMiB: 70, times: 3 },
    ],
  }
  return { ...measured, targets: targetsOf(measured) }
}

function rows(): RowResult[] {
  const results = new Map<string, RowResult>()
  for (const { limit, rows } of groupsOf(10_000)) {
    for (const row of [...(limit ? [limit] : []), ...rows]) {
      const of = row === limit ? undefined : limit
      if (results.has(keyOf(row)) && !of) continue
      const { server, name, coding, conditional } = row
      const cpuRatio = of && (server.includes('service') ? 0.9 : 1.5)
      results.set(keyOf(row), {
        server,
        name,
        cpu: server === 'PostgreSQL' ? 4.5 : 20 + results.size,
        perSecond: 12_345,
        p50: 1.5,
        p99: 2.5,
        bytes: coding || conditional ? 1000 : 10_000,
        ...(of && { limit: keyOf(of), cpuRatio, rateRatio: of.server === 'pool of 8' ? 6 : 0.8 }),
      })
    }
  }
  return [...results.values()]
}

function growth(employees: number): GrowthResult {
  return {
    release: 'this one',
    employees,
    cpu: { 'one employee': 50, 'POST, durable': 60 },
    fill: { high_salary_emps: 1, top2_by_dept: 1 },
    window: 12,
    miss: 0.5,
    windowRatio: 24,
    startUp: 700,
  }
}
