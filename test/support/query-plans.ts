import type { Shell } from './shell.js'

/** A step of PostgreSQL's, as it was taken. */
export interface Step {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Step[]
}

/** How SQLite goes about a query, step by step. */
export async function planOf(shell: Shell, sql: string): Promise<string[]> {
  const plan = await shell.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
  return plan.map(({ detail }) => detail)
}

/** How PostgreSQL goes about a query: its steps, how many employees it looks at, and how many pages of the disk. */
export async function stepsOf(shell: Pick<Shell, 'all'>, sql: string) {
  const [row] = await shell.all<{ 'QUERY PLAN': [{ Plan: Step }] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
  )
  const steps = row ? flat(row['QUERY PLAN'][0].Plan) : []
  const looks = steps
    .filter((step) => step['Relation Name'] === 'employees')
    .map((step) => {
      return (step['Actual Rows'] + (step['Rows Removed by Filter'] ?? 0)) * step['Actual Loops']
    })
  const [all] = steps
  return {
    steps,
    rows: looks.reduce((sum, count) => sum + count, 0),
    blocks: (all?.['Shared Hit Blocks'] ?? 0) + (all?.['Shared Read Blocks'] ?? 0),
  }
}

function flat(step: Step): Step[] {
  return [step, ...(step.Plans ?? []).flatMap(flat)]
}
