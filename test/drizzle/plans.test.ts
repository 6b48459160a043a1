import t, { type Test } from 'tap'
import { views } from '../../drizzle/registry.js'
import { onPostgres, onSqlite } from '../support/any-database.js'
import { emptyDatabase } from '../support/empty-database.js'
import { planOf, type Step, stepsOf } from '../support/query-plans.js'
import type { Shell } from '../support/shell.js'

const READ = ['high_salary_emps', 'top2_by_dept']

t.test('SQLite: the two views are read with the indexes alone', onSqlite, async (t) => {
  for (const view of READ) {
    const plan = await planOf(await emptyDatabase(t), `SELECT * FROM ${view}`)
    t.ok(plan.length > 0)
    for (const step of plan) t.notMatch(step, /^SCAN (employees|e|next)$/, step)
  }
})

t.test('SQLite: the ranking sorts each department by itself', onSqlite, async (t) => {
  // Else the event loop would stand still until all of them were looked at.
  const plan = await planOf(await emptyDatabase(t), 'SELECT * FROM top2_by_dept')
  t.equal(plan.at(-1), 'USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY')
})

t.test('SQLite: the triggers of every view judge with the indexes alone', onSqlite, async (t) => {
  let conditions = 0
  for (const { name, definition } of views) {
    for (const row of ['old', 'new', 'replaced']) {
      const condition = definition.matters?.(row, 'sqlite')
      if (condition === undefined) continue
      conditions++
      const plan = await planOf(
        await emptyDatabase(t),
        `SELECT ${condition} FROM employees AS ${row} WHERE ${row}.id = 1`,
      )
      t.match(plan[0], new RegExp(`^SEARCH ${row} USING INTEGER PRIMARY KEY`), name)
      for (const step of plan) t.notMatch(step, /^SCAN/, `${name}: ${step}`)
    }
  }
  t.ok(conditions >= 6, 'those of two views at least')
})

t.test('PostgreSQL: the two views are read with the indexes alone', onPostgres, async (t) => {
  const shell = await filled(t)
  for (const view of views.filter(({ name }) => READ.includes(name))) {
    for (const sql of [`SELECT * FROM ${view.name}`, view.sql('postgres')]) {
      const { steps, rows } = await stepsOf(shell, sql)
      t.strictSame(steps.filter(isScan), [], view.name)
      t.ok(rows > 0 && rows <= FEW, `${view.name} looks at ${rows} rows`)
    }
  }
})

t.test(
  'PostgreSQL: the triggers of every view judge with the indexes alone',
  onPostgres,
  async (t) => {
    const shell = await filled(t)
    const conditions = views.flatMap(({ definition }) => {
      const condition = definition.matters?.('changed_row', 'postgres')
      return condition === undefined ? [] : [condition]
    })
    t.ok(conditions.length >= 2, 'those of two views at least')
    for (const condition of conditions) {
      const changed = '(SELECT * FROM employees WHERE id = 1) AS changed_row'
      const { steps, rows } = await stepsOf(shell, `SELECT 1 FROM ${changed} WHERE ${condition}`)
      t.strictSame(steps.filter(isScan), [], condition)
      t.ok(rows <= FEW, `${condition}: ${rows} rows`)
    }
  },
)

const EMPLOYEES = 20_000
/** More than the views show of {@link EMPLOYEES}, and what lies beside it; far fewer than there are. */
const FEW = 1000

/** A database with so many employees that PostgreSQL would rather not read them all: 20 departments, 200 high salaries. */
async function filled(t: Test): Promise<Shell> {
  const shell = await emptyDatabase(t)
  await shell.run(`INSERT INTO employees (name, salary, department)
    SELECT 'n' || i, CASE WHEN i % 100 = 0 THEN 100000 + i ELSE i END, 'd' || i % 20
    FROM generate_series(1, ${EMPLOYEES}) AS numbers (i)`)
  // Else tuples of before and after count, too.
  await shell.run('VACUUM ANALYZE employees')
  return shell
}

function isScan(step: Step): boolean {
  return step['Node Type'] === 'Seq Scan' && step['Relation Name'] === 'employees'
}
