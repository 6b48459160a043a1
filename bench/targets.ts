import { CODINGS, GROWTH } from './loads.js'
import type {
  GrowthResult,
  PauseResult,
  Results,
  RowResult,
  TargetResult,
} from './measure/results.js'

const SMALL = 10_000
const LARGE = 1_000_000
const VIEWS = ['high-salary', 'top2-by-department']
const OURS = ['service', 'service + Redis']

type Measured = Omit<Results, 'targets'>

/** What the service shall cost, held against what was measured; null: this run did not measure it. */
export function targetsOf({ rows, growth, pauses }: Measured): TargetResult[] {
  const row = (server: string, name: string) =>
    rows.find((row) => row.server === server && row.name === name)
  const size = (employees: number) => growth.find((each) => each.employees === employees)
  return [
    ...hitTargets(row),
    ...wireTargets(row),
    most('one employee, CPU of bare Fastify', row('service', 'one employee')?.cpuRatio, 1.6, '×'),
    most('a page of 20, CPU of bare Fastify', row('service', 'a page of 20')?.cpuRatio, 2.2, '×'),
    ...OURS.map((server) =>
      least(
        `durable POST (${server}), requests/s of a POST that stores nothing`,
        row(server, 'POST, durable')?.rateRatio,
        0.75,
        '×',
      ),
    ),
    least(
      "ranking's miss, 10,000 employees, HTTP and all: the window query alone takes",
      size(SMALL)?.windowRatio,
      10,
      '×',
    ),
    ...postgresTargets(row),
    ...growthTargets(size(SMALL), size(LARGE)),
    ...pauses.flatMap((pause) => pauseTargets(pause)),
  ]
}

type Find = (server: string, name: string) => RowResult | undefined

function hitTargets(row: Find): TargetResult[] {
  return VIEWS.flatMap((view) => {
    const hit = (server: string) => row(server, `${view}, hit in this process`)?.cpuRatio
    // Both were measured behind the same limit, in the same turns.
    const beside = (peer: string) => quotient(hit('service + Redis'), hit(peer))
    return [
      ...OURS.map((server) =>
        most(`${view}, hit (${server}): CPU of bare Fastify`, hit(server), 1, '×'),
      ),
      most(`${view}, hit: CPU of BentoCache's`, beside('BentoCache'), 1, '×'),
      most(
        `${view} from Redis alone: CPU of bare Fastify`,
        row('service + Redis', `${view}, hit in Redis only`)?.cpuRatio,
        2,
        '×',
      ),
    ]
  })
}

function wireTargets(row: Find): TargetResult[] {
  const coded = (view: string, coding: string) => row('service', `${view}, hit, ${coding}`)
  const bytes = row('service', 'high-salary, hit in this process')?.bytes
  return [
    ...VIEWS.flatMap((view) =>
      CODINGS.map((coding) =>
        most(
          `${view}, hit, ${coding}: CPU of an identity hit`,
          coded(view, coding)?.cpuRatio,
          1,
          '×',
        ),
      ),
    ),
    most(
      'high-salary, br: bytes of the identity',
      quotient(coded('high-salary', 'br')?.bytes, bytes),
      1 / 6,
      '×',
    ),
  ]
}

function postgresTargets(row: Find): TargetResult[] {
  const over = 'service + PostgreSQL'
  return [
    ...VIEWS.map((view) =>
      most(
        `${view}, hit (${over}): CPU of that over SQLite`,
        row(over, `${view}, hit in this process`)?.cpuRatio,
        1.3,
        '×',
      ),
    ),
    most(
      'PostgreSQL itself for a hit, 50 connections',
      row('PostgreSQL', 'top2-by-department, hit in this process')?.cpu,
      5,
      'µs',
    ),
    least(
      'durable POST over PostgreSQL, requests/s of a pool of 8 connections that commit each',
      row(over, 'POST, durable')?.rateRatio,
      5,
      '×',
    ),
  ]
}

function growthTargets(small?: GrowthResult, large?: GrowthResult): TargetResult[] {
  const fill = (size?: GrowthResult) => size?.fill.top2_by_dept
  const grown = (of: string, figure: (size?: GrowthResult) => number | undefined, limit: number) =>
    most(
      `${of}: 1,000,000 employees against 10,000`,
      quotient(figure(large), figure(small)),
      limit,
      '×',
    )
  return [
    most('ranking fill, 1,000,000 employees', fill(large), 5, 'ms'),
    grown('ranking fill', fill, 3),
    grown('one employee, CPU', (size) => size?.cpu[GROWTH.one], 1.3),
    grown('POST, CPU', (size) => size?.cpu[GROWTH.post], 1.3),
    most('start-up to the first answer, 1,000,000 employees', large?.startUp, 1000, 'ms'),
  ]
}

function pauseTargets({ work, employees, p99, grownMiB }: PauseResult): TargetResult[] {
  const name = `${work}, ${employees.toLocaleString('en-US')} employees`
  const isLarge = employees === LARGE
  return [
    most(`${name}: p99 of others`, isLarge ? p99 : undefined, 25, 'ms'),
    most(`${name}: growth of memory`, isLarge ? grownMiB : undefined, 64, 'MiB'),
  ]
}

function quotient(one: number | undefined, other: number | undefined): number | undefined {
  return one && other && one / other
}

function most(target: string, value: number | undefined, limit: number, unit: string) {
  const met = value === undefined ? null : value <= limit
  return { target, limit: `at most ${show(limit, unit)}`, value: measured(value, unit), met }
}

function least(target: string, value: number | undefined, limit: number, unit: string) {
  const met = value === undefined ? null : value >= limit
  return { target, limit: `at least ${show(limit, unit)}`, value: measured(value, unit), met }
}

function measured(value: number | undefined, unit: string): string {
  return value === undefined ? 'not measured (--large)' : show(value, unit)
}

function show(number: number, unit: string): string {
  return `${number.toFixed(number < 1 ? 3 : number < 10 ? 2 : 0)} ${unit}`
}
