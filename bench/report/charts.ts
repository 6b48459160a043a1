import type { GrowthResult, Results, RowResult } from '../measure/results.js'
import { COMPARED, type Comparison, comparisonsOf, formsOf, LIMIT } from './comparison.js'

/** Bars of the page: the figures of a table, one group for each label. */
export interface BarChart {
  id: string
  scale: 'linear' | 'logarithmic'
  labels: string[]
  sets: { label: string; data: (number | undefined)[] }[]
}

/** Lines of the page: what grows with the table. */
export interface LineChart {
  id: string
  scale: 'linear' | 'logarithmic'
  sets: { label: string; data: { x: number; y: number | undefined }[] }[]
}

export function barsOf({ rows }: Results): BarChart[] {
  const all = comparisonsOf(rows)
  const limited = all.filter(({ limit }) => limit)
  const others = all.filter(({ limit }) => !limit)
  const forms = formsOf(rows)
  const labels = forms.map(({ view, form }) => `${view}, ${form}`)
  return [
    {
      id: 'limits',
      scale: 'linear',
      labels: limited.map(({ name }) => name),
      sets: [
        { label: `${LIMIT}: the limit`, data: limited.map(() => 1) },
        ...setsOf(limited, ({ cpuRatio }) => cpuRatio),
      ],
    },
    {
      id: 'others',
      scale: 'logarithmic',
      labels: others.map(({ name }) => name),
      sets: setsOf(others, ({ cpu }) => cpu),
    },
    {
      id: 'bytes',
      scale: 'linear',
      labels,
      sets: [{ label: 'bytes', data: forms.map(({ bytes }) => bytes) }],
    },
    {
      id: 'wireCpu',
      scale: 'linear',
      labels,
      sets: [{ label: 'CPU µs', data: forms.map(({ cpu }) => cpu) }],
    },
  ]
}

function setsOf(comparisons: Comparison[], figure: (row: RowResult) => number | undefined) {
  return COMPARED.map((label, i) => ({
    label,
    data: comparisons.map(({ compared }) => {
      const row = compared[i]
      return row && figure(row)
    }),
  }))
}

export function linesOf({ growth }: Results): LineChart[] {
  const line = (label: string, value: (size: GrowthResult) => number | undefined) => ({
    label,
    data: growth.map((size) => ({ x: size.employees, y: value(size) })),
  })
  const [first] = growth
  const [loads, views] = [Object.keys(first?.cpu ?? {}), Object.keys(first?.fill ?? {})]
  return [
    {
      id: 'growth',
      scale: 'linear',
      sets: loads.map((load) => line(load, ({ cpu }) => cpu[load])),
    },
    {
      id: 'fills',
      scale: 'logarithmic',
      sets: [
        ...views.map((view) => line(view, ({ fill }) => fill[view])),
        line('ranking as a window', ({ window }) => window),
        line("ranking's miss over HTTP", ({ miss }) => miss),
      ],
    },
  ]
}
