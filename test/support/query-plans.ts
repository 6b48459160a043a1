import type { Shell } from './shell.js'

/** A step of PostgreSQL's, as it was taken. */
export interface Step {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Step[]
}

/** How SQLite goes about a query, step by step. */
export async function planOf(shell: Shell, sql: string): Promise<string[]> {
  const plan = await shell.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
  return plan.map(({ detail }) => detail)
}

/** How PostgreSQL goes about a query: its steps, and how many employees it looks at. */
export async function stepsOf(shell: Shell, sql: string) {
  const [row] = await shell.all<{ 'QUERY PLAN': [{ Plan: Step }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`,
  )
  const steps = row ? flat(row['QUERY PLAN'][0].Plan) : []
  const looks = steps
    .filter((step) => step['Relation Name'] === 'employees')
    .map((step) => {
      return (step['Actual Rows'] + (step['Rows Removed by Filter'] ?? 0)) * step['Actual Loops']
    })
  return { steps, rows: looks.reduce((sum, count) => sum + count, 0) }
}

function flat(step: Step): Step[] {
  return [step, ...(step.Plans ?? []).flatMap(flat)]
}
