import type {
  GrowthResult,
  PauseResult,
  Results,
  RowResult,
  TargetResult,
} from '../measure/results.js'
import { perGigabit } from '../measure/wire.js'
import { COMPARED, comparisonsOf, formsOf, LIMIT } from './comparison.js'

/** A table as the terminal and the page show it. */
export interface ShownTable {
  id: 'rows' | 'peers' | 'forms' | 'sizes' | 'pauses' | 'targets'
  head: string[]
  body: string[][]
  /** So many of its first columns are text. */
  text: number
}

/** The tables that have rows; the most important one last, as a terminal shows the end. */
export function tablesOf({ rows, growth, pauses, targets }: Results): ShownTable[] {
  return [
    rowTable(rows),
    peerTable(rows),
    formTable(rows),
    sizeTable(growth),
    pauseTable(pauses),
    targetTable(targets),
  ].filter(({ body }) => body.length > 0)
}

function rowTable(rows: RowResult[]): ShownTable {
  return {
    id: 'rows',
    head: [
      'request',
      'server',
      'CPU µs',
      '× limit',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'bytes',
      'at 1 Gbit/s',
    ],
    text: 2,
    body: rows.map(({ name, server, cpu, cpuRatio, perSecond, p50, p99, bytes }) => [
      name,
      server,
      fixed(cpu, 1),
      fixed(cpuRatio, 2),
      grouped(perSecond),
      fixed(p50, 2),
      fixed(p99, 2),
      grouped(bytes),
      grouped(bytes && perGigabit(bytes)),
    ]),
  }
}

function peerTable(rows: RowResult[]): ShownTable {
  return {
    id: 'peers',
    head: ['CPU µs, × limit', `${LIMIT}: the limit`, ...COMPARED],
    text: 1,
    body: comparisonsOf(rows).map(({ name, limit, compared }) => [
      name,
      fixed(limit?.cpu, 1),
      ...compared.map((row) => {
        const ratio = limit && row ? `, ${fixed(row.cpuRatio, 2)} ×` : ''
        return row ? `${fixed(row.cpu, 1)}${ratio}` : ''
      }),
    ]),
  }
}

function formTable(rows: RowResult[]): ShownTable {
  return {
    id: 'forms',
    head: ['sent', 'server', 'bytes', '× identity', 'at 1 Gbit/s', 'CPU µs', '× CPU of identity'],
    text: 2,
    body: formsOf(rows).map(({ view, server, form, bytes, share, cpu, cpuRatio, ...each }) => [
      `${view}, ${form}`,
      server,
      grouped(bytes),
      fixed(share, 3),
      grouped(each.perGigabit),
      fixed(cpu, 1),
      fixed(cpuRatio, 2),
    ]),
  }
}

function sizeTable(growth: GrowthResult[]): ShownTable {
  const [first] = growth
  const [loads, views] = [Object.keys(first?.cpu ?? {}), Object.keys(first?.fill ?? {})]
  return {
    id: 'sizes',
    head: [
      'employees',
      'service',
      ...loads.map((load) => `${load}, CPU µs`),
      ...views.map((view) => `${view}, fill ms`),
      'ranking as a window, ms',
      "ranking's miss over HTTP, ms",
      '× faster',
      'start-up ms',
    ],
    text: 2,
    body: growth.map(({ employees, release, cpu, fill, window, miss, windowRatio, startUp }) => [
      grouped(employees),
      release,
      ...loads.map((load) => fixed(cpu[load], 1)),
      ...views.map((view) => fixed(fill[view], 2)),
      fixed(window, 2),
      fixed(miss, 2),
      fixed(windowRatio, 1),
      fixed(startUp, 0),
    ]),
  }
}

function pauseTable(pauses: PauseResult[]): ShownTable {
  return {
    id: 'pauses',
    head: ['while', 'employees', 'times', 'p50 ms', 'p99 ms', 'grown MiB'],
    text: 1,
    body: pauses.map(({ work, employees, times, p50, p99, grownMiB }) => [
      work,
      grouped(employees),
      `${times}`,
      fixed(p50, 2),
      fixed(p99, 2),
      fixed(grownMiB, 0),
    ]),
  }
}

function targetTable(targets: TargetResult[]): ShownTable {
  return {
    id: 'targets',
    head: ['target', 'limit', 'measured', 'verdict'],
    text: 1,
    body: targets.map(({ target, limit, value, met }) => [
      target,
      limit,
      value,
      met === null ? '' : met ? 'met' : 'missed',
    ]),
  }
}

function fixed(number: number | undefined, digits: number): string {
  return number === undefined ? '' : number.toFixed(digits)
}

function grouped(number: number | undefined): string {
  return number === undefined ? '' : Math.round(number).toLocaleString('en-US')
}
