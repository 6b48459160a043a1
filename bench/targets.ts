import type { PauseResult, Results, RowResult, TargetResult } from './measure/results.js'
import { GROWTH } from './rows.js'

const SMALL = 10_000
const LARGE = 1_000_000

/** What the service shall cost, held against what was measured; null: this run did not measure it. */
export function targetsOf({ rows, growth, pauses }: Omit<Results, 'targets'>): TargetResult[] {
  const row = (server: string, name: string) =>
    rows.find((row) => row.server === server && row.name === name)
  const [small, large] = [SMALL, LARGE].map((size) => growth.find((g) => g.employees === size))
  return [
    ...(['service', 'service + Redis'] as const).flatMap((server) =>
      ['high-salary', 'top2-by-department'].map((view) =>
        cpuRatio(
          `${view} from the near copy (${server})`,
          row(server, `${view}, hit in this process`),
          1.15,
        ),
      ),
    ),
    ...['high-salary', 'top2-by-department'].map((view) =>
      cpuRatio(`${view} from Redis alone`, row('service + Redis', `${view}, hit in Redis only`), 2),
    ),
    rateRatio(
      'durable POST, requests/s of a POST that stores nothing',
      row('service', 'POST, durable'),
      0.5,
    ),
    ...['high-salary', 'top2-by-department'].map((view) =>
      judge(
        `${view} from the near copy (service + PostgreSQL): CPU of that over SQLite`,
        row('service + PostgreSQL', `${view}, hit in this process`)?.cpuRatio,
        1.3,
        '×',
        'most',
      ),
    ),
    under(
      'PostgreSQL itself for a hit, 50 connections',
      row('PostgreSQL', 'top2-by-department, hit in this process')?.cpu,
      5,
      'µs',
    ),
    rateRatio(
      'durable POST over PostgreSQL, requests/s of a pool of 8 connections that commit each',
      row('service + PostgreSQL', 'POST, durable'),
      5,
    ),
    under('ranking fill, 1,000,000 employees', large?.fill.top2_by_dept, 5, 'ms'),
    times('ranking fill', small?.fill.top2_by_dept, large?.fill.top2_by_dept, 3),
    times('one employee, CPU', small?.cpu[GROWTH.one], large?.cpu[GROWTH.one], 1.3),
    times('POST, CPU', small?.cpu[GROWTH.post], large?.cpu[GROWTH.post], 1.3),
    ...pauses.flatMap((pause) => pauseTargets(pause)),
    under('start-up to the first answer, 1,000,000 employees', large?.startUp, 1000, 'ms'),
  ]
}

function cpuRatio(target: string, row: RowResult | undefined, limit: number): TargetResult {
  return judge(`${target}: CPU of bare Fastify`, row?.cpuRatio, limit, '×', 'most')
}

function rateRatio(target: string, row: RowResult | undefined, limit: number): TargetResult {
  return judge(target, row?.rateRatio, limit, '×', 'least')
}

function times(
  target: string,
  small: number | undefined,
  large: number | undefined,
  limit: number,
) {
  const ratio = small && large && large / small
  return judge(`${target}: 1,000,000 employees against 10,000`, ratio, limit, '×', 'most')
}

function under(target: string, value: number | undefined, limit: number, unit: string) {
  return judge(target, value, limit, unit, 'most')
}

function pauseTargets({ work, employees, p99, grownMiB }: PauseResult): TargetResult[] {
  const name = `${work}, ${employees.toLocaleString('en-US')} employees`
  const isLarge = employees === LARGE
  return [
    under(`${name}: p99 of others`, isLarge ? p99 : undefined, 25, 'ms'),
    under(`${name}: growth of memory`, isLarge ? grownMiB : undefined, 64, 'MiB'),
  ]
}

function judge(
  target: string,
  value: number | undefined,
  limit: number,
  unit: string,
  bound: 'most' | 'least',
): TargetResult {
  const show = (number: number) => `${number.toFixed(number < 10 ? 2 : 0)} ${unit}`
  return {
    target,
    limit: `at ${bound} ${show(limit)}`,
    value: value === undefined ? 'not measured (--large)' : show(value),
    met: value === undefined ? null : bound === 'most' ? value <= limit : value >= limit,
  }
}
